// The line above the button: what happens now, or one remark until something else happens.

const line = document.getElementById("status");

const SENTENCES = {
  connecting: ["Connecting…"],
  lost: ["The connection to the bot is lost; trying again…", true],
  holding: ["Listening. Let go when you are done."],
  blocked: ["Click anywhere to hear the voice.", true],
  speaking: ["Speaking – press Escape to stop."],
  thinking: ["Thinking…"],
  writing: ["Writing – press Escape to stop."],
  listening: ["Listening. Just talk."],
  ready: ["Ready. Hold the button to talk, or type."],
};

export class StatusLine {
  #activity = "";

  // Shows what happens; a remark stays as long as that is the same.
  show(activity) {
    if (activity === this.#activity) return;
    this.#activity = activity;
    this.remark(...SENTENCES[activity]);
  }

  remark(sentence, trouble = false) {
    line.textContent = sentence;
    line.classList.toggle("trouble", trouble);
  }
}
