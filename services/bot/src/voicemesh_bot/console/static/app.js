// The console's page: wires the connection, the microphone, the player and the view together.

import { Connection } from "./connection.js";
import { ConversationView } from "./conversation-view.js";
import { Lamps } from "./lamps.js";
import { Microphone, MicrophoneError } from "./microphone.js";
import { notify, withdraw, withdrawAll } from "./notices.js";
import { Player } from "./player.js";
import { StatusLine } from "./status-line.js";
import { listenToHolding } from "./talk-button.js";

const TAIL_MS = 150; // People let go of the button before the last sound is out.
const NO_SPEECH_MS = 3000;
const SHORT_MS = 350; // A shorter press is a click, in which nobody can say anything.

const byId = (id) => document.getElementById(id);
const talk = byId("talk");
const stop = byId("stop");
const handsFree = byId("hands-free");
const aloud = byId("aloud");
const text = byId("text");

const view = new ConversationView();
const lamps = new Lamps();
const statusLine = new StatusLine();
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
    statusLine.remark("The microphone was disconnected.", true);
  },
});

let voiceRate = 24000;
let wasOpen = false;
let talking = false;
let awaitingWords = false; // The button was let go, and what was said is not known yet.
let replying = false;
let hasText = false; // Of the answer on its way.
let hasSounded = false;
let heardSomething = false;
let pressedMs = 0;
let noSpeechTimer = 0;
let tailTimer = 0;
let lastTiming = null;

// What tests and the curious may look at.
window.voicemesh = {
  get connected() { return connection.isOpen; },
  get services() { return lamps.states; },
  get talking() { return talking; },
  get playedSeconds() { return player.playedSeconds; },
  get peakLevel() { return player.peakLevel; },
  get playing() { return player.isActive; },
  get lastTiming() { return lastTiming; },
};

function activity() {
  if (!connection.isOpen) return wasOpen ? "lost" : "connecting";
  if (talking && !handsFree.checked) return "holding";
  if (player.isActive) return player.isBlocked ? "blocked" : "speaking";
  if (awaitingWords && heardSomething) return "thinking";
  if (replying && !hasSounded) {
    // With a voice, the answer begins with its sound.
    const voiceIsDue = aloud.checked && lamps.isWell("tts");
    return hasText && !voiceIsDue ? "writing" : "thinking";
  }
  return handsFree.checked ? "listening" : "ready";
}

function refresh() {
  stop.disabled = !replying && !player.isActive;
  talk.disabled = !connection.isOpen || handsFree.checked;
  talk.setAttribute("aria-pressed", String(talking));
  document.querySelector(".send").disabled = !connection.isOpen;
  statusLine.show(activity());
}

function showLevel(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const level = Math.min(1, (Math.sqrt(sum / samples.length) / 0x8000) * 6);
  talk.style.setProperty("--level", level.toFixed(2));
}

async function startTalking() {
  clearTimeout(noSpeechTimer);
  clearTimeout(tailTimer); // Pressed again at once: the turn goes on.
  talking = true;
  heardSomething = awaitingWords = false;
  refresh();
  unlock();
  try {
    await microphone.on();
  } catch (error) {
    talking = false;
    handsFree.checked = false;
    refresh();
    if (!(error instanceof MicrophoneError)) throw error;
    statusLine.remark(error.message, true);
    return;
  }
  if (!talking) {
    microphone.off();
    return;
  }
  listen();
}

// From a click or a key press, so that the voice may be heard.
async function unlock() {
  await player.unlock(voiceRate);
  refresh();
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
  awaitingWords = true;
  refresh();
  if (performance.now() - pressedMs < SHORT_MS + TAIL_MS && !heardSomething) {
    statusLine.remark("Hold the button while you talk.");
  } else {
    noSpeechTimer = setTimeout(() => {
      if (!heardSomething) tellSilence();
    }, NO_SPEECH_MS);
  }
}

// What was said is known, or that it was nothing.
function endWaiting() {
  awaitingWords = false;
  clearTimeout(noSpeechTimer);
  refresh();
}

function tellSilence() {
  if (!awaitingWords) return;
  endWaiting();
  if (lamps.isWell("stt")) statusLine.remark("I heard no words.");
  else statusLine.remark("Nothing was heard: speech recognition has trouble. You can type.", true);
}

function stopAnswer() {
  player.stop();
  connection.send({ type: "stop" });
}

listenToHolding(talk, {
  onPress: () => {
    if (player.isActive || replying) stopAnswer();
    if (!talking) pressedMs = performance.now();
    startTalking();
  },
  onRelease: () => {
    if (!handsFree.checked) tailTimer = setTimeout(stopTalking, TAIL_MS);
  },
});

handsFree.addEventListener("change", () => (handsFree.checked ? startTalking() : stopTalking()));
aloud.addEventListener("change", () => {
  if (!aloud.checked) player.stop();
  connection.send({ type: "voice", on: aloud.checked });
  refresh();
});
stop.addEventListener("click", stopAnswer);
document.addEventListener("keydown", (event) => {
  if (event.code === "Escape" && !stop.disabled) stopAnswer();
});
byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  unlock();
  const written = text.value.trim();
  if (!written) return;
  if (connection.send({ type: "message", text: written })) text.value = "";
});
document.addEventListener("pointerdown", () => {
  if (player.isBlocked) unlock();
});

const on = (type, act) => connection.addEventListener(type, (event) => act(event.detail));

on("welcome", (message) => {
  voiceRate = message.sample_rate_hertz;
  wasOpen = true;
  withdrawAll();
  lamps.showReady(message.services);
  view.divide();
  connection.send({ type: "voice", on: aloud.checked });
  if (talking) listen();
  replying = awaitingWords = false;
  refresh();
});
on("closed", ({ full }) => {
  player.forget();
  wasOpen ||= !full;
  replying = awaitingWords = false;
  clearTimeout(noSpeechTimer);
  if (talking && !handsFree.checked) {
    talking = false;
    microphone.off();
    talk.style.setProperty("--level", 0);
  }
  lamps.forget();
  if (!full) refresh(); // Else the line says already that there is no room.
});
on("services", (message) => {
  lamps.showReady(message.services);
  refresh();
});
on("trouble", ({ service, on: troubled }) => {
  lamps.showTrouble(service, troubled);
  withdraw(service, { good: troubled });
  refresh();
});
on("speech_started", () => {
  heardSomething = true;
  refresh();
});
on("partial", (message) => view.showPartial(message.stable, message.unstable));
on("silence", () => {
  view.showPartial("", "");
  tellSilence();
});
on("message", (message) => {
  heardSomething = true;
  view.addMessage(message.message_id, message.text, message.spoken);
  endWaiting();
});
on("reply_start", (message) => {
  replying = true;
  hasText = hasSounded = false;
  view.startReply(message.reply_id, message.message_id);
  refresh();
});
on("reply_text", (message) => {
  hasText = true;
  view.addReplyText(message.reply_id, message.text);
  refresh();
});
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
  hasSounded = true;
  player.play(replyId, sampleRate, samples);
  refresh();
});
on("audio_end", (message) => player.end(message.reply_id));
on("audio_stop", () => player.stop());
on("audio_pause", ({ reply_id: id, on: paused }) => (paused ? player.pause(id) : player.resume(id)));
on("duck", (message) => player.duck(message.on));
on("notice", (message) => notify(message.text, message));
on("error", (message) => {
  if (message.code === "FULL" || message.code === "INTERNAL") statusLine.remark(message.message, true);
  else notify(message.message);
});

refresh();
connection.open();
