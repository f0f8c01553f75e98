import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { isThere, perform } from "./acts.js";

const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]";
const PAUSE = 900;
const ANYWHERE = "mod+k"; // also while somebody types; the editing keys of a box stay its own
const NAMES = { mod: "Ctrl", esc: "Esc", enter: "Enter", space: "Space", shift: "Shift", alt: "Alt", up: "↑", down: "↓", delete: "Del" };
const DISMISS =
  "m2.59 2.72.06-.07a.5.5 0 0 1 .63-.06l.07.06L8 7.29l4.65-4.64a.5.5 0 0 1 .7.7L8.71 8l4.64 4.65c.18.17.2.44.06.63l-.06.07a.5.5 0 0 1-.63.06l-.07-.06L8 8.71l-4.65 4.64a.5.5 0 0 1-.7-.7L7.29 8 2.65 3.35a.5.5 0 0 1-.06-.63l.06-.07z";

const combo = (e) => {
  const key = e.key === " " ? "space" : e.key.toLowerCase();
  const shift = e.shiftKey && key.length > 1;
  return [(e.ctrlKey || e.metaKey) && "mod", shift && "shift", e.altKey && "alt", key].filter(Boolean).join("+");
};

/* Keys of the page. `acts` are done here, without the server; `keys` go to Python. "g p" is two keys one after the other.
   Single keys rest while somebody types or a dialog is open, and always when the person does not want them. */
export function Hotkeys({ keys = [], acts = [], letters = true, onHotkey }) {
  const now = useRef({});
  now.current = { keys, acts, letters, onHotkey };
  const before = useRef({ key: "", at: -PAUSE });

  useEffect(() => {
    if (acts.length) document.documentElement.dataset.letters = letters ? "on" : "off";
  }, [letters]);
  useEffect(() => {
    const pressed = (e) => {
      if (e.defaultPrevented || e.isComposing) return;
      const { keys, acts, letters, onHotkey } = now.current;
      const one = combo(e);
      const isLetter = !one.startsWith("mod+") && !one.startsWith("alt+");
      if (one !== ANYWHERE && (e.target.closest?.(TYPING) || document.querySelector("dialog[open]"))) return;
      if (isLetter && (!letters || document.documentElement.dataset.letters === "off")) return;
      const two = e.timeStamp - before.current.at < PAUSE ? `${before.current.key} ${one}` : one;
      before.current = { key: one, at: e.timeStamp }; // when it was pressed: a busy page may come to it later
      for (const pressed of new Set([two, one])) {
        if (keys.includes(pressed)) {
          e.preventDefault();
          return onHotkey?.(pressed);
        }
        const act = acts.find((a) => a.keys === pressed && (a.press || a.focus));
        if (act && perform(act)) return e.preventDefault();
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);

  return null;
}

// "mod+z" -> Ctrl Z; "j k" -> J K
export function Keycaps({ keys }) {
  return keys
    .split(/[ +]/)
    .filter(Boolean)
    .map((part, i) => <kbd key={i}>{NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part)}</kbd>);
}

/* Lists the keys that do something on this page now; opened by whatever carries `data-keys`. */
export function KeyHelp({ acts = [], label, letters = true, offText, offHref, onText, changeText, closeText }) {
  const ref = useRef(null);
  const [open, setOpen] = useState(false);

  useEffect(() => {
    const clicked = (e) => e.target.closest?.("[data-keys]") && setOpen(true);
    document.addEventListener("click", clicked);
    return () => document.removeEventListener("click", clicked);
  }, []);
  useEffect(() => {
    if (open && !ref.current.open) ref.current.showModal();
  }, [open]);

  const shown = open ? acts.filter((a) => a.keys && isThere(a)) : [];
  const groups = [...new Set(shown.map((a) => a.group))];
  const close = () => ref.current.close();

  return (
    <dialog
      ref={ref}
      className="dialog keys"
      aria-label={label}
      onClose={() => setOpen(false)}
      onMouseDown={(e) => e.target === ref.current && close()}
    >
      {open && (
        <>
          <header className="line">
            <h2 className="grow">{label}</h2>
            <button type="button" className="icon-btn" aria-label={closeText} onClick={close}>
              <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
                <path d={DISMISS} />
              </svg>
            </button>
          </header>
          <div className="body" tabIndex={0} role="region" aria-label={label}>
            {groups.map((group) => (
              <section key={group}>
                <h3>{group}</h3>
                <dl>
                  {shown
                    .filter((a) => a.group === group)
                    .map((a) => (
                      <div key={a.keys + a.label}>
                        <dt>
                          <Keycaps keys={a.keys} />
                        </dt>
                        <dd>{a.label}</dd>
                      </div>
                    ))}
                </dl>
              </section>
            ))}
          </div>
          <p className="foot small">
            {letters ? onText : <b>{offText}</b>}{" "}
            <Link to={offHref} onClick={close}>
              {changeText}
            </Link>
          </p>
        </>
      )}
    </dialog>
  );
}
