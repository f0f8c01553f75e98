import { useEffect, useId, useRef, useState } from "react";
import { place } from "./menu.jsx";

const REST = 350; // before it opens: a pointer on its way elsewhere opens nothing
const GRACE = 200; // to get from the label into the card

/* The label of a field; resting on it, or pressing it, shows who changed the field, when and from what to what. */
export function FieldHistory({ name, label, rows, onAsk }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef(null);
  const card = useRef(null);
  const timer = useRef(null);

  const later = (ms, next) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(setOpen, ms, next);
  };
  const now = (next) => {
    clearTimeout(timer.current);
    setOpen(next);
  };
  useEffect(() => () => clearTimeout(timer.current), []);

  const known = rows !== undefined && rows !== null;
  useEffect(() => {
    const el = card.current;
    if (open && !known) onAsk?.(name);
    if (open && !el.matches(":popover-open")) el.showPopover();
    if (!open && el.matches(":popover-open")) el.hidePopover();
    if (open) place(el, button.current);
  }, [open, known, rows?.length]);

  useEffect(() => {
    if (!open) return;
    const escape = (e) => {
      if (e.key !== "Escape") return;
      e.stopPropagation();
      now(false);
    };
    const outside = (e) => !card.current.contains(e.target) && !button.current.contains(e.target) && now(false);
    document.addEventListener("keydown", escape, true);
    document.addEventListener("pointerdown", outside);
    return () => {
      document.removeEventListener("keydown", escape, true);
      document.removeEventListener("pointerdown", outside);
    };
  }, [open]);

  return (
    <>
      <button
        ref={button}
        type="button"
        className="was"
        aria-label={`${label}, history`}
        aria-expanded={open}
        aria-controls={`${id}-card`}
        onPointerEnter={(e) => e.pointerType === "mouse" && later(REST, true)}
        onPointerLeave={() => later(GRACE, false)}
        onFocus={(e) => e.target.matches(":focus-visible") && later(REST, true)}
        onBlur={() => later(GRACE, false)}
        onClick={() => now(!open)}
      >
        {label}
      </button>
      <div
        ref={card}
        id={`${id}-card`}
        popover="manual"
        role="group"
        aria-label={`History of ${label}`}
        className="menu history"
        onPointerEnter={() => clearTimeout(timer.current)}
        onPointerLeave={() => later(GRACE, false)}
      >
        {open && (
          <div role="status">
            {!known && <p className="muted">Looking it up…</p>}
            {known && rows.length === 0 && <p className="muted">Nothing is written down yet</p>}
            {known && rows.length > 0 && (
              <ul>
                {rows.map((row, i) => (
                  <li key={i}>
                    <p className="small muted">
                      {row.who}, {row.when}
                    </p>
                    <p>
                      {row.old && <s>{row.old}</s>} {row.new || "emptied"}
                    </p>
                  </li>
                ))}
              </ul>
            )}
          </div>
        )}
      </div>
    </>
  );
}
