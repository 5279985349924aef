// Draws where the milliseconds of a turn went: one lane for each stage, from the end of speech.

const SVG = "http://www.w3.org/2000/svg";
const WIDEST = 560;
const NARROWEST = 280;
const LEFT = 92;
const RIGHT = 64;
const LANE = 17;
const TOP = 16;

const STAGES = [
  ["Your words", "end_of_speech", "transcript",
    "from your last sound until it was certain that you had finished, and what you had said"],
  ["First word", "reply_requested", "first_token",
    "from asking the language model until the first word of its answer"],
  ["First phrase", "first_token", "first_clause",
    "from the first word until there was enough of the answer to speak"],
  ["First sound", "first_clause", "first_audio",
    "from the first phrase until the voice had made its first sound"],
  ["Loudspeaker", "first_audio", "first_sound_played",
    "from the first sound until it was played"],
];

export function drawTiming(figure, { marks_ms: marks, speculative }) {
  // A written message has no transcript to wait for.
  const lanes = STAGES.filter(([, from, to]) => from in marks && to in marks && !(to === "transcript" && !marks[to]));
  // A guessed answer is shown only when the transcript is certain.
  const shown = "first_token" in marks ? Math.max(marks.first_token, marks.transcript ?? 0) : undefined;
  const total = marks.first_sound_played ?? shown;
  if (!lanes.length || total === undefined) return;
  // The voice is asked once there is a clause and the transcript is certain.
  const begins = { ...marks, first_clause: Math.max(marks.first_clause, marks.transcript ?? 0) };
  const end = Math.max(400, ...lanes.map(([, , to]) => marks[to]));
  const height = TOP + lanes.length * LANE + 4;
  // Drawn as wide as there is room for, so that its words stay as large as they are.
  const width = Math.max(NARROWEST, Math.min(WIDEST, figure.clientWidth || WIDEST));
  const place = (ms) => LEFT + (ms / end) * (width - LEFT - RIGHT);
  const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  // A written message is as good as spoken when it is sent.
  const zero = marks.transcript ? "0 = you stopped talking" : "0 = you sent your message";
  const axis = node("g", {});
  axis.append(node("title", {}, `Milliseconds; ${zero}`), ...grid(end, height, place, width));
  svg.append(axis);
  lanes.forEach(([name, from, to, meaning], lane) => {
    const stage = STAGES.findIndex(([other]) => other === name);
    const row = node("g", { "data-testid": "stage" });
    const area = { class: "row", x: 0, y: TOP + lane * LANE, width, height: LANE };
    row.append(node("title", {}, `${name}: ${meaning}. ${zero}.`), node("rect", area));
    row.append(...bar(name, begins[from], marks[to], lane, stage, place));
    svg.append(row);
  });
  const what = "first_sound_played" in marks ? "to the first sound" : "to the first word";
  svg.setAttribute("aria-label", `${Math.round(total)} milliseconds ${what}: ` + lanes
    .map(([name, from, to]) => `${name} ${Math.round(marks[to] - begins[from])}`).join(", "));
  const caption = document.createElement("figcaption");
  const strong = document.createElement("strong");
  strong.textContent = `${(total / 1000).toFixed(2)} s`;
  caption.append(strong, ` ${what}${speculative ? " · answer prepared while you were still talking" : ""}`);
  figure.replaceChildren(svg, caption);
}

function grid(end, height, place, width) {
  const most = Math.floor(width / 80);
  const step = [100, 250, 500, 1000, 2500, 5000].find((ms) => end / ms <= most) ?? 10000;
  const parts = [];
  for (let ms = 0; ms <= end; ms += step) {
    const x = place(ms);
    parts.push(node("line", { class: "grid", x1: x, x2: x, y1: TOP - 3, y2: height }));
    parts.push(node("text", { x, y: 10, "text-anchor": "middle" }, ms ? `${ms}` : "0 ms"));
  }
  return parts;
}

function bar(name, from, to, lane, stage, place) {
  const y = TOP + lane * LANE;
  const x = place(from);
  const width = Math.max(2, place(to) - x);
  return [
    node("text", { x: LEFT - 14, y: y + 11, "text-anchor": "end" }, name),
    node("rect", { class: `stage-${stage + 1}`, x, y: y + 2, width, height: LANE - 6, rx: 3 }),
    node("text", { class: "value", x: x + width + 5, y: y + 11 }, `${Math.round(to - from)} ms`),
  ];
}

function node(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}
