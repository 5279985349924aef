// One sentence each, above the conversation, until dismissed or outdated.

const GOOD_MS = 12000;

const box = document.getElementById("notices");

export function notify(sentence, { good = false, service = "" } = {}) {
  const older = [...box.children].find((notice) => service && notice.dataset.service === service);
  // Said again while it still stands, it would only be read aloud again.
  if (older?.firstChild.textContent === sentence) return;
  older?.remove(); // News about a service replaces older news about it.
  const notice = document.createElement("p");
  notice.className = good ? "notice good" : "notice";
  notice.dataset.service = service;
  notice.dataset.testid = "notice";
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "✕";
  close.ariaLabel = "Dismiss";
  close.title = "Dismiss";
  close.onclick = () => notice.remove();
  notice.append(sentence, close);
  box.append(notice);
  if (good || !service) setTimeout(() => notice.remove(), GOOD_MS);
}

// Bad news about a service is outdated when it is well again, and good news when it fails.
export function withdraw(service, { good }) {
  for (const notice of [...box.children]) {
    if (notice.dataset.service === service && notice.classList.contains("good") === good) notice.remove();
  }
}

// A new session says anew what is wrong.
export function withdrawAll() {
  box.replaceChildren();
}
