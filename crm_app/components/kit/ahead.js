// A press on `[data-asks]` asks Python for a dialog, and fast fingers do not wait for it. What is typed until it is there
// goes into its boxes, and not to the keys of the page; Esc takes the press back.
const LONGEST_MS = 5000;
const FRAMES = 40; // a box gets the focus a few frames after its dialog is there
const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select";
const BOXES = `:is(${TYPING}, button, a[href], [tabindex="0"]):not([tabindex="-1"], [type=hidden], [disabled])`;

let asked = null;

const isWaiting = () => {
  if (asked && (performance.now() > asked.until || asked.path !== window.location.pathname)) asked = null;
  return asked !== null;
};

const hold = (e) => {
  if (!isWaiting() || asked.isTakenBack || e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.target.closest?.(TYPING)) return;
  const { keys } = asked;
  if (e.key === "Escape") asked.isTakenBack = true;
  else if (e.key === "Backspace") keys.pop();
  else if (e.key === "Tab" ? !e.shiftKey : e.key.length === 1) {
    if (!e.repeat) keys.push(e.key);
  } else if (e.key !== "Enter") return; // on the button it would only ask once more
  e.preventDefault();
  e.stopImmediatePropagation();
};

const put = (box, keys) => {
  for (const key of keys) {
    if (key === "Tab") {
      const boxes = [...box.querySelectorAll(BOXES)].filter((one) => one.checkVisibility());
      boxes[boxes.indexOf(document.activeElement) + 1]?.focus();
    } else if (document.activeElement.matches("input, textarea")) document.execCommand("insertText", false, key);
  }
};

/* For a part that Python opens: `box` is there. */
export const arrived = (box, onDismiss) => {
  const mine = isWaiting() ? asked : null;
  if (!mine) return;
  const look = (left) => {
    if (asked !== mine) return;
    if (mine.isTakenBack) {
      asked = null;
      return onDismiss?.();
    }
    const at = document.activeElement;
    if (left && !(box.contains(at) && at.matches(TYPING))) return void requestAnimationFrame(() => look(left - 1));
    asked = null;
    put(box, mine.keys);
  };
  look(FRAMES);
};

if (typeof window !== "undefined") {
  window.addEventListener("pointerdown", () => (asked = null), true);
  window.addEventListener("keydown", hold, true);
  window.addEventListener(
    "click",
    (e) => {
      if (!e.target.closest?.("[data-asks]:not([disabled], [aria-disabled=true])")) return;
      asked = { keys: [], isTakenBack: false, until: performance.now() + LONGEST_MS, path: window.location.pathname };
    },
    true,
  );
}
