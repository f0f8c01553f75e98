import { useEffect, useRef } from "react";

const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]";
const PAUSE = 900;

const combo = (e) => {
  const key = e.key === " " ? "space" : e.key.toLowerCase();
  const shift = e.shiftKey && key.length > 1;
  return [(e.ctrlKey || e.metaKey) && "mod", shift && "shift", e.altKey && "alt", key].filter(Boolean).join("+");
};

/* Keys of the page. `keys` go to Python, `presses` click the element of a selector here, without the server.
   "g p" is two keys one after the other. Single keys rest while somebody types or a dialog is open. */
export function Hotkeys({ keys = [], presses = {}, letters = true, onHotkey }) {
  const now = useRef({});
  now.current = { keys, presses, letters, onHotkey };
  const before = useRef({ key: "", at: 0 });

  useEffect(() => {
    const pressed = (e) => {
      if (e.defaultPrevented || e.isComposing) return;
      const { keys, presses, letters, onHotkey } = now.current;
      const one = combo(e);
      const plain = !one.startsWith("mod+") && !one.startsWith("alt+");
      if (plain && (!letters || e.target.closest?.(TYPING) || document.querySelector("dialog[open]"))) return;
      const two = Date.now() - before.current.at < PAUSE ? `${before.current.key} ${one}` : one;
      before.current = { key: one, at: Date.now() };
      const hit = [two, one].find((c) => c in presses || keys.includes(c));
      if (!hit) return;
      const target = hit in presses && document.querySelector(presses[hit]);
      if (hit in presses && !target) return;
      e.preventDefault();
      if (!target) return onHotkey?.(hit);
      target.focus();
      if (!target.matches("input, textarea")) target.click();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);

  return null;
}
