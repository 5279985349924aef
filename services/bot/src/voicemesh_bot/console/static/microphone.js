// The microphone: asks for it, and hands on 16-bit samples at its own rate while it is on.

const RELEASE_AFTER_MS = 30000;

const REASONS = {
  NotAllowedError: "The browser does not allow the microphone. Allow it for this page, then try again.",
  NotFoundError: "No microphone was found. Connect one, or type.",
  NotReadableError: "The microphone cannot be used; perhaps another program has it.",
};

export class MicrophoneError extends Error {}

export class Microphone {
  #stream = null;
  #context = null;
  #opening = null;
  #on = false;
  #release = 0;

  // onSound(samples: ArrayBuffer) is called every 20 ms while on; onEnd() if the device goes away.
  constructor({ onSound, onEnd }) {
    this.onSound = onSound;
    this.onEnd = onEnd;
  }

  // Samples a second, once on.
  get sampleRate() {
    return this.#context?.sampleRate ?? 0;
  }

  async on() {
    clearTimeout(this.#release);
    // Asked twice while the browser asks the person: both wait for the same device.
    if (!this.#context) this.#opening ??= this.#open().finally(() => { this.#opening = null; });
    await this.#opening;
    await this.#context.resume();
    this.#on = true;
  }

  // The device is kept for a while, because opening it anew would cost the first words.
  off() {
    this.#on = false;
    clearTimeout(this.#release);
    this.#release = setTimeout(() => this.close(), RELEASE_AFTER_MS);
  }

  close() {
    this.#on = false;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#stream = this.#context = null;
  }

  async #open() {
    if (!navigator.mediaDevices) {
      throw new MicrophoneError(
        "Browsers give the microphone only to pages on this computer or over HTTPS.");
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      await this.#capture();
    } catch (error) {
      this.close();
      throw new MicrophoneError(REASONS[error.name] ?? `The microphone failed: ${error.message}`);
    }
    for (const track of this.#stream.getTracks()) {
      track.onended = () => {
        this.close();
        this.onEnd();
      };
    }
  }

  async #capture() {
    this.#context = new AudioContext({ latencyHint: "interactive" });
    await this.#context.audioWorklet.addModule("/static/capture-worklet.js");
    const capture = new AudioWorkletNode(this.#context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    capture.port.onmessage = (event) => {
      if (this.#on) this.onSound(event.data);
    };
    this.#context.createMediaStreamSource(this.#stream).connect(capture);
    // Its output is silent; connected, so that every browser keeps it running.
    capture.connect(this.#context.destination);
  }
}
