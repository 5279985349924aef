// Plays the voice without gaps and knows exactly how much of it has been heard.

const REPORT_EVERY_MS = 100;
const LEAD_S = 0.03;
const FADE_S = 0.015;
const DUCKED = 0.25;

export class Player {
  #context = null;
  #volume = null;
  #voice = null;
  #meter = null;
  #levels = new Float32Array(2048);
  #pieces = [];
  #rest = []; // While paused: what will be played after.
  #paused = false;
  #before = 0; // Seconds of this answer that were heard before its last pause.
  #all = 0;
  #nextTime = 0;
  #replyId = 0;
  #reported = 0;
  #ended = false;
  #timer = 0;
  #heardBefore = 0;
  #silenced = 0;

  peakLevel = 0;

  // onPlayed(replyId, seconds) is called as sound is heard; onActive() as it begins, is held
  // back and ends.
  constructor({ onPlayed, onActive }) {
    this.onPlayed = onPlayed;
    this.onActive = onActive;
  }

  get isActive() {
    return this.#timer !== 0;
  }

  // Whether the browser holds sound back until the person has clicked or typed.
  get isBlocked() {
    return this.#context?.state === "suspended";
  }

  get playedSeconds() {
    return this.#heardBefore + this.#played();
  }

  // To be called from a click or key press, without which browsers play nothing.
  async unlock(sampleRate) {
    if (!this.#context) {
      this.#context = new AudioContext({ sampleRate, latencyHint: "interactive" });
      this.#context.onstatechange = () => this.onActive(); // Whether sound is held back.
      this.#volume = this.#context.createGain();
      this.#meter = this.#context.createAnalyser();
      this.#meter.fftSize = this.#levels.length;
      this.#volume.connect(this.#meter).connect(this.#context.destination);
    }
    await this.#context.resume();
  }

  play(replyId, sampleRate, samples) {
    if (replyId === this.#silenced) return; // It was on its way when it was stopped.
    if (!this.#context) this.unlock(sampleRate);
    if (replyId !== this.#replyId) this.#begin(replyId);
    const buffer = this.#context.createBuffer(1, samples.length, sampleRate);
    const channel = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i++) channel[i] = samples[i] / 0x8000;
    this.#all += buffer.duration;
    if (this.#paused) this.#rest.push({ buffer, offset: 0 });
    else this.#schedule(buffer, 0);
    if (!this.#timer) {
      this.#timer = setInterval(() => this.#report(), REPORT_EVERY_MS);
      this.onActive();
    }
  }

  // No more sound of this answer comes.
  end(replyId) {
    if (replyId === this.#replyId) this.#ended = true;
    this.#report();
  }

  // Silence at once; what was heard until then is reported.
  stop() {
    this.#silenced = this.#replyId;
    if (!this.#timer) return;
    const now = this.#context.currentTime;
    this.#report();
    this.#voice.gain.setTargetAtTime(0, now, FADE_S / 3);
    for (const piece of this.#pieces) piece.source.stop(now + FADE_S);
    this.#finish();
  }

  // Silence at once, until resume() or stop().
  pause(replyId) {
    if (replyId !== this.#replyId || !this.#timer || this.#paused) return;
    const now = this.#context.currentTime;
    this.#report();
    if (!this.#timer) return; // It was over just now.
    this.#paused = true;
    this.#voice.gain.setTargetAtTime(0, now, FADE_S / 3);
    for (const { source, start, seconds, buffer, offset } of this.#pieces) {
      const played = Math.max(0, Math.min(seconds, now - start));
      this.#before += played;
      if (played < seconds) this.#rest.push({ buffer, offset: offset + played });
      source.stop(now + FADE_S);
    }
    this.#pieces = [];
  }

  // Goes on where pause() stopped.
  resume(replyId) {
    if (replyId !== this.#replyId || !this.#paused) return;
    this.#paused = false;
    this.#openVoice();
    this.#nextTime = 0;
    for (const { buffer, offset } of this.#rest) this.#schedule(buffer, offset);
    this.#rest = [];
  }

  // Answers are numbered anew.
  forget() {
    this.stop();
    this.#replyId = this.#silenced = 0;
  }

  duck(on) {
    this.#volume?.gain.setTargetAtTime(on ? DUCKED : 1, this.#context.currentTime, 0.03);
  }

  #begin(replyId) {
    if (this.#timer) this.stop();
    this.#openVoice();
    this.#replyId = replyId;
    this.#nextTime = this.#reported = this.#all = 0;
    this.#ended = false;
  }

  // A gain of its own, so that the fade at its end meets neither ducking nor what comes next.
  #openVoice() {
    this.#voice = this.#context.createGain();
    this.#voice.connect(this.#volume);
  }

  #schedule(buffer, offset) {
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#voice);
    const earliest = this.#context.currentTime + LEAD_S;
    // On the grid of samples, so that pieces meet without a click.
    const rate = this.#context.sampleRate;
    const start = Math.round(Math.max(earliest, this.#nextTime) * rate) / rate;
    source.start(start, offset);
    const seconds = buffer.duration - offset;
    this.#nextTime = start + seconds;
    this.#pieces.push({ source, start, seconds, buffer, offset });
  }

  #played() {
    if (!this.#context) return 0;
    const heardUntil = this.#context.currentTime - (this.#context.outputLatency || 0);
    let seconds = this.#before;
    for (const piece of this.#pieces) {
      seconds += Math.max(0, Math.min(piece.seconds, heardUntil - piece.start));
    }
    return seconds;
  }

  #report() {
    if (!this.#timer) return;
    this.#meter.getFloatTimeDomainData(this.#levels);
    for (const level of this.#levels) this.peakLevel = Math.max(this.peakLevel, Math.abs(level));
    const seconds = this.#played();
    if (seconds > this.#reported) {
      this.#reported = seconds;
      this.onPlayed(this.#replyId, seconds);
    }
    if (this.#ended && seconds >= this.#all - 0.001) this.#finish();
  }

  // What was heard stays counted: pieces that will not be played any more are cut to their share.
  #finish() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#heardBefore += this.#played();
    this.#pieces = [];
    this.#rest = [];
    this.#paused = false;
    this.#before = 0;
    this.onActive();
  }
}
