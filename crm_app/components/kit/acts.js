// What a page can do, as its KEYS say: {keys, label, press, focus, icon}. The element that `press` or `focus` selects is
// what the mouse would use, so an act is there exactly when that is.
const GONE = "[disabled], [aria-disabled=true]";
const APPEARS_MS = 8000;

export const targetOf = (act) => {
  const selector = act.press || act.focus;
  const found = selector && document.querySelector(selector);
  return found && !found.matches(GONE) ? found : null;
};

export const isThere = (act) => !(act.press || act.focus) || targetOf(act) !== null;

// A panel that is folded away behind its tab on a narrow screen comes out first.
const bringOut = (element) => {
  const panel = element.closest("[role=region][id]");
  if (panel && element.getClientRects().length === 0) document.querySelector(`.tabs a[href="#${panel.id}"]`)?.click();
};

// Done as the mouse would; false when there is nothing to do it with.
export const perform = (act) => {
  const target = targetOf(act);
  if (!target) return false;
  bringOut(target);
  target.focus();
  if (act.press && !target.matches("input, textarea")) target.click();
  if (act.press && act.focus) requestAnimationFrame(() => document.querySelector(act.focus)?.focus());
  return true;
};

// As soon as the page that has it is drawn; never, when it does not come.
export const performWhenThere = (act) => {
  if (perform(act)) return;
  const watch = new MutationObserver(() => perform(act) && stop());
  const late = setTimeout(() => stop(), APPEARS_MS);
  const stop = () => {
    watch.disconnect();
    clearTimeout(late);
  };
  watch.observe(document.body, { childList: true, subtree: true });
};

// Whether the person uses single letters as shortcuts.
export const lettersOn = () => document.documentElement.dataset.letters !== "off";
