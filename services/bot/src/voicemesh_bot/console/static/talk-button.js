// Hold to talk by pointer or keys: calls onPress when it begins and onRelease when it ends.

export function listenToHolding(button, { onPress, onRelease }) {
  let held = false;
  const press = (event) => {
    event.preventDefault();
    if (held || button.disabled) return;
    held = true;
    onPress();
  };
  const release = () => {
    if (!held) return;
    held = false;
    onRelease();
  };

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    press(event);
    button.focus();
  });
  button.addEventListener("pointerup", release);
  button.addEventListener("pointercancel", release);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  // A held key must not stay held when the window loses it.
  window.addEventListener("blur", release);

  document.addEventListener("keydown", (event) => {
    const talks = event.code === "Space" || (event.code === "Enter" && event.target === button);
    if (talks && isFree(event.target, button)) press(event);
  });
  document.addEventListener("keyup", (event) => {
    if (event.code === "Space" || event.code === "Enter") release();
  });
}

// Whether a key press on the target is not for the target itself.
function isFree(target, button) {
  return target === button || !target.closest?.("input, button, textarea, select, a, summary");
}
