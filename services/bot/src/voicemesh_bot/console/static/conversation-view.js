// Shows messages, partial words and answers. Text only ever becomes text nodes.

import { drawTiming } from "./timing-chart.js";

const MOST_TURNS = 200;
const END_PX = 60;

const OUTCOMES = {
  interrupted: "interrupted",
  stopped: "stopped",
  superseded: "overtaken by your next message",
};

export class ConversationView {
  #turns = document.getElementById("turns");
  #partial = document.getElementById("partial");
  #scroller = document.getElementById("conversation");
  #replies = new Map();
  #messages = new Map();
  #atEnd = true;

  constructor() {
    // Who has scrolled up to read is left there.
    this.#scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
      this.#atEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    });
    new ResizeObserver(() => this.#follow()).observe(this.#scroller); // A notice takes room.
  }

  showPartial(stable, unstable) {
    this.#partial.querySelector(".stable").textContent = stable;
    this.#partial.querySelector(".unstable").textContent =
      unstable && stable && !unstable.startsWith(" ") ? ` ${unstable}` : unstable;
    this.#partial.hidden = !(stable || unstable);
    this.#follow();
  }

  addMessage(id, text, spoken) {
    document.getElementById("welcome").hidden = true;
    this.showPartial("", "");
    const turn = document.createElement("li");
    turn.className = "turn";
    turn.dataset.testid = "turn";
    const bubble = this.#bubble("mine", "transcript");
    bubble.dataset.spoken = String(spoken);
    const words = document.createElement("span");
    words.dataset.testid = "words";
    words.textContent = text;
    bubble.append(words);
    turn.append(bubble);
    this.#turns.append(turn);
    this.#messages.set(id, turn);
    while (this.#turns.children.length > MOST_TURNS) this.#turns.firstElementChild.remove();
    if (this.#messages.size > MOST_TURNS) this.#messages.delete(this.#messages.keys().next().value);
    this.#atEnd = true;
    this.#follow();
  }

  startReply(id, messageId) {
    const bubble = this.#bubble("answer", "answer");
    bubble.dataset.waiting = "";
    const text = document.createElement("span");
    text.dataset.testid = "answer-text";
    bubble.append(text);
    const figure = document.createElement("figure");
    figure.className = "timing";
    figure.dataset.testid = "timing";
    this.#messages.get(messageId)?.append(bubble, figure);
    this.#replies.set(id, { bubble, text, figure });
    this.#follow();
  }

  addReplyText(id, text) {
    const reply = this.#replies.get(id);
    if (!reply) return;
    reply.text.append(text);
    delete reply.bubble.dataset.waiting;
    this.#follow();
  }

  endReply(id, outcome, heardText, sentence) {
    const reply = this.#replies.get(id);
    if (!reply) return;
    delete reply.bubble.dataset.waiting;
    reply.bubble.dataset.outcome = outcome;
    if (outcome === "failed") {
      reply.text.append(sentence);
    } else {
      const notes = outcome === "complete" ? [] : [OUTCOMES[outcome], this.#markUnheard(reply, heardText)];
      if (sentence) notes.push(`it breaks off: ${sentence}`);
      this.#note(reply, notes.filter(Boolean).join(" · "));
    }
    this.#replies.delete(id);
    this.#follow();
  }

  showTiming(id, timing) {
    const reply = this.#replies.get(id);
    if (reply) drawTiming(reply.figure, timing);
    this.#follow();
  }

  // A new session on the other side: it remembers nothing of what is shown above.
  divide() {
    this.showPartial("", "");
    this.#replies.clear();
    this.#messages.clear();
    if (!this.#turns.children.length) return;
    const divider = document.createElement("li");
    divider.className = "divider";
    divider.textContent = "A new conversation";
    this.#turns.append(divider);
  }

  // Strikes through what nobody heard; what to call it, if there is any.
  #markUnheard(reply, heardText) {
    const all = reply.text.textContent;
    const heard = all.indexOf(heardText) + heardText.length;
    if (!all.slice(heard).trim()) return "";
    const unheard = document.createElement("s");
    unheard.className = "unheard";
    unheard.title = "Not spoken, so the bot does not remember it";
    unheard.textContent = all.slice(heard);
    reply.text.replaceChildren(all.slice(0, heard), unheard);
    return heardText ? "the rest was not spoken" : "not spoken";
  }

  #note(reply, sentence) {
    if (!sentence) return;
    const note = document.createElement("span");
    note.className = "outcome";
    note.dataset.testid = "outcome";
    note.textContent = sentence;
    reply.bubble.append(note);
  }

  #bubble(kind, testid) {
    const bubble = document.createElement("p");
    bubble.className = `bubble ${kind}`;
    bubble.dataset.testid = testid;
    return bubble;
  }

  #follow() {
    if (this.#atEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
