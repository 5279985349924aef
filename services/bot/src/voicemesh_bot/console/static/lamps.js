// The lamps of the services: ready, in trouble (its last work failed), or not reachable.

const WORDS = { true: "ready", false: "not reachable", trouble: "trouble", undefined: "not known" };

export class Lamps {
  #ready = {};
  #troubled = new Set();

  // What is known of each service: true, false, "trouble", or undefined.
  get states() {
    const names = [...document.querySelectorAll("[data-testid=services] li")].map((item) => item.dataset.service);
    return Object.fromEntries(names.map((name) => [name, this.#state(name)]));
  }

  isWell(service) {
    return this.#state(service) === true;
  }

  showReady(ready) {
    this.#ready = ready;
    this.#draw();
  }

  showTrouble(service, on) {
    if (on) this.#troubled.add(service);
    else this.#troubled.delete(service);
    this.#draw();
  }

  // Nothing is known any more.
  forget() {
    this.#troubled.clear();
    this.showReady({});
  }

  #state(service) {
    const ready = this.#ready[service];
    return ready && this.#troubled.has(service) ? "trouble" : ready;
  }

  #draw() {
    for (const item of document.querySelectorAll("[data-testid=services] li")) {
      const state = this.#state(item.dataset.service);
      item.dataset.ready = String(state);
      item.querySelector(".state").textContent = `: ${WORDS[state]}`;
      item.title = state === "trouble" ? "trouble: its last work failed" : WORDS[state];
    }
  }
}
