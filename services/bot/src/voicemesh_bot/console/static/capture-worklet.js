// Runs on the audio thread: turns the microphone's floats into 16-bit samples, 20 ms a piece.

const PIECE_S = 0.02;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.length = Math.round(sampleRate * PIECE_S);
    this.piece = new Int16Array(this.length);
    this.filled = 0;
  }

  process(inputs) {
    for (const value of inputs[0][0] ?? []) {
      const clipped = Math.max(-1, Math.min(1, value));
      this.piece[this.filled++] = clipped < 0 ? clipped * 0x8000 : clipped * 0x7fff;
      if (this.filled === this.length) {
        this.port.postMessage(this.piece.buffer, [this.piece.buffer]);
        this.piece = new Int16Array(this.length); // The old one is gone with its message.
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
