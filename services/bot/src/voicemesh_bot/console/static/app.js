// The console's page: wires the connection, the microphone, the player and the view together.

import { Connection } from "./connection.js";
import { ConversationView } from "./conversation-view.js";
import { Microphone, MicrophoneError } from "./microphone.js";
import { Player } from "./player.js";
import { listenToHolding } from "./talk-button.js";

const TAIL_MS = 150; // People let go of the button before the last sound is out.
const NO_SPEECH_MS = 3000;
const NOTICE_MS = 12000;

const byId = (id) => document.getElementById(id);
const talk = byId("talk");
const stop = byId("stop");
const handsFree = byId("hands-free");
const status = byId("status");
const text = byId("text");

const view = new ConversationView();
const connection = new Connection();
const player = new Player({
  onPlayed: (replyId, seconds) => connection.send({ type: "played", reply_id: replyId, seconds }),
  onActive: () => refresh(),
});
const microphone = new Microphone({
  onSound: (samples) => {
    showLevel(new Int16Array(samples));
    connection.sendSound(samples);
  },
  onEnd: () => {
    stopTalking();
    handsFree.checked = false;
    clearTimeout(noSpeechTimer);
    refresh();
    say("The microphone was disconnected.", true);
  },
});

let voiceRate = 24000;
let talking = false;
let replying = false;
let heardSomething = false;
let noSpeechTimer = 0;
let tailTimer = 0;
let lastTiming = null;
const services = {};

// What tests and the curious may look at.
window.voicemesh = {
  get connected() { return connection.isOpen; },
  get services() { return { ...services }; },
  get talking() { return talking; },
  get playedSeconds() { return player.playedSeconds; },
  get peakLevel() { return player.peakLevel; },
  get playing() { return player.isActive; },
  get lastTiming() { return lastTiming; },
};

function say(sentence, trouble = false) {
  status.textContent = sentence;
  status.classList.toggle("trouble", trouble);
}

function ready() {
  say(handsFree.checked ? "Listening. Just talk." : "Ready. Hold the button to talk, or type.");
}

function refresh() {
  stop.disabled = !replying && !player.isActive;
  talk.disabled = !connection.isOpen || handsFree.checked;
  talk.setAttribute("aria-pressed", String(talking));
  document.querySelector(".send").disabled = !connection.isOpen;
}

function notify(sentence, { good = false, service = "" } = {}) {
  const notices = byId("notices");
  // News about a service replaces older news about it.
  if (service) notices.querySelector(`[data-service="${service}"]`)?.remove();
  const notice = document.createElement("p");
  notice.className = good ? "notice good" : "notice";
  notice.dataset.service = service;
  notice.append(sentence);
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "✕";
  close.ariaLabel = "Dismiss";
  close.onclick = () => notice.remove();
  notice.append(close);
  notices.append(notice);
  if (good || !service) setTimeout(() => notice.remove(), NOTICE_MS);
}

function showLevel(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const level = Math.min(1, (Math.sqrt(sum / samples.length) / 0x8000) * 6);
  talk.style.setProperty("--level", level.toFixed(2));
}

function showServices(state) {
  const words = { true: "ready", false: "not reachable", undefined: "not known" };
  for (const item of document.querySelectorAll("[data-testid=services] li")) {
    const known = state[item.dataset.service];
    services[item.dataset.service] = known;
    item.dataset.ready = String(known);
    item.querySelector(".state").textContent = `: ${words[known]}`;
    item.title = words[known];
  }
}

async function startTalking() {
  clearTimeout(noSpeechTimer);
  clearTimeout(tailTimer); // Pressed again at once: the turn goes on.
  talking = true;
  heardSomething = false;
  refresh();
  player.unlock(voiceRate);
  try {
    await microphone.on();
  } catch (error) {
    talking = false;
    handsFree.checked = false;
    refresh();
    if (!(error instanceof MicrophoneError)) throw error;
    say(error.message, true);
    return;
  }
  if (!talking) {
    microphone.off();
    return;
  }
  listen();
  say(handsFree.checked ? "Listening. Just talk." : "Listening. Let go when you are done.");
}

function listen() {
  connection.send({ type: "listen", sample_rate_hertz: microphone.sampleRate, held: !handsFree.checked });
}

function stopTalking() {
  if (!talking) return;
  talking = false;
  microphone.off();
  talk.style.setProperty("--level", 0);
  connection.send({ type: "finish_turn" });
  refresh();
  ready();
  noSpeechTimer = setTimeout(() => {
    if (!heardSomething && !talking) say("I heard no words. Hold the button while you talk, or check the microphone.");
  }, NO_SPEECH_MS);
}

function stopAnswer() {
  player.stop();
  connection.send({ type: "stop" });
}

listenToHolding(talk, {
  onPress: () => {
    if (player.isActive || replying) stopAnswer();
    startTalking();
  },
  onRelease: () => {
    if (!handsFree.checked) tailTimer = setTimeout(stopTalking, TAIL_MS);
  },
});

handsFree.addEventListener("change", () => (handsFree.checked ? startTalking() : stopTalking()));
byId("aloud").addEventListener("change", (event) => {
  if (!event.target.checked) player.stop();
  connection.send({ type: "voice", on: event.target.checked });
});
stop.addEventListener("click", stopAnswer);
document.addEventListener("keydown", (event) => {
  if (event.code === "Escape" && !stop.disabled) stopAnswer();
});
byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  player.unlock(voiceRate);
  const written = text.value.trim();
  if (!written) return;
  if (connection.send({ type: "message", text: written })) text.value = "";
});
document.addEventListener("pointerdown", () => {
  if (player.isBlocked) player.unlock(voiceRate);
});

const on = (type, act) => connection.addEventListener(type, (event) => act(event.detail));

on("welcome", (message) => {
  voiceRate = message.sample_rate_hertz;
  showServices(message.services);
  view.divide();
  connection.send({ type: "voice", on: byId("aloud").checked });
  if (talking) listen();
  replying = false;
  ready();
  refresh();
});
on("closed", ({ full }) => {
  player.forget();
  replying = false;
  if (talking && !handsFree.checked) {
    talking = false;
    microphone.off();
    talk.style.setProperty("--level", 0);
  }
  showServices({});
  if (!full) say("The connection to the bot is lost; trying again…", true);
  refresh();
});
on("services", (message) => showServices(message.services));
on("speech_started", () => { heardSomething = true; });
on("partial", (message) => view.showPartial(message.stable, message.unstable));
on("silence", () => view.showPartial("", ""));
on("message", (message) => {
  heardSomething = true;
  view.addMessage(message.message_id, message.text, message.spoken);
});
on("reply_start", (message) => {
  replying = true;
  view.startReply(message.reply_id, message.message_id);
  refresh();
});
on("reply_text", (message) => view.addReplyText(message.reply_id, message.text));
on("reply_end", (message) => {
  replying = false;
  view.endReply(message.reply_id, message.outcome, message.heard_text, message.sentence);
  refresh();
});
on("timing", (message) => {
  lastTiming = message;
  view.showTiming(message.reply_id, message);
});
on("sound", ({ replyId, sampleRate, samples }) => {
  player.play(replyId, sampleRate, samples);
  if (player.isBlocked) say("Click anywhere to hear the voice.", true);
});
on("audio_end", (message) => player.end(message.reply_id));
on("audio_stop", () => player.stop());
on("duck", (message) => player.duck(message.on));
on("notice", (message) => notify(message.text, message));
on("error", (message) => {
  if (message.code === "FULL" || message.code === "INTERNAL") say(message.message, true);
  else notify(message.message);
});

refresh();
connection.open();
