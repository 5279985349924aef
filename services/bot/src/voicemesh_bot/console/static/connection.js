// The WebSocket to the bot. It reconnects by itself; what the messages mean is written in
// voicemesh_bot/console/connection.py.

const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;
const MOST_BUFFERED_BYTES = 512 * 1024;
const TRY_AGAIN_LATER = 1013;

export class Connection extends EventTarget {
  #socket = null;
  #welcomed = false;
  #waitMs = SHORTEST_WAIT_MS;

  // Only once the bot has said welcome: sound that came before it is told how to hear us is an error.
  get isOpen() {
    return this.#welcomed && this.#socket.readyState === WebSocket.OPEN;
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#socket = new WebSocket(`${scheme}://${location.host}/session`);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = (event) => this.#take(event.data);
    this.#socket.onclose = (event) => this.#closed(event);
  }

  send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
    return this.isOpen;
  }

  // Late sound is worth nothing, so it is dropped when the connection cannot keep up.
  sendSound(samples) {
    if (this.isOpen && this.#socket.bufferedAmount < MOST_BUFFERED_BYTES) this.#socket.send(samples);
  }

  #take(data) {
    if (data instanceof ArrayBuffer) {
      const header = new DataView(data);
      this.#emit("sound", {
        replyId: header.getUint32(0, true),
        sampleRate: header.getUint32(4, true),
        samples: new Int16Array(data, 8),
      });
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "welcome") {
      this.#welcomed = true;
      this.#waitMs = SHORTEST_WAIT_MS;
    }
    this.#emit(message.type, message);
  }

  #closed(event) {
    this.#welcomed = false;
    const full = event.code === TRY_AGAIN_LATER;
    this.#emit("closed", { full });
    const waitMs = full ? LONGEST_WAIT_MS : this.#waitMs;
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    setTimeout(() => this.open(), waitMs);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
