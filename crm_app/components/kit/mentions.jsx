import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { place } from "./menu.jsx";

const PAUSE = 150;
const ASKED = /(^|[\s("'])@([^\s@]{0,40})$/;
const bare = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const fits = (person, query) => ` ${bare(person.label)}`.includes(` ${bare(query)}`);

/* Names of colleagues in a text box: "@" and some letters open a list of `people` ({value, label, hint}), which Python
   answers to `onSearch(letters)`. Arrows walk, Enter or Tab takes the name, Esc closes. `onPick(text, {id, name})` gets
   the whole text with the name in it. */
export function useMentions({ box, people = [], onSearch, onPick }) {
  const id = useId();
  const [asked, setAsked] = useState(null);
  const [lit, setLit] = useState(0);
  const list = useRef(null);
  const timer = useRef(null);
  const caret = useRef(null);
  const latest = useRef(onSearch);
  latest.current = onSearch;

  const query = asked?.query ?? "";
  const hits = asked ? people.filter((p) => fits(p, query)).slice(0, 6) : [];
  const open = hits.length > 0;
  const at = Math.min(lit, hits.length - 1);

  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    const el = list.current;
    if (!el) return;
    if (open && !el.matches(":popover-open")) el.showPopover();
    else if (!open && el.matches(":popover-open")) el.hidePopover();
    if (open && box.current) place(el, box.current);
  }, [open, hits.length]);

  const look = () => {
    const el = box.current;
    if (!el || el.selectionStart !== el.selectionEnd) return setAsked(null);
    const found = ASKED.exec(el.value.slice(0, el.selectionStart));
    if (!found) return setAsked(null);
    const next = { query: found[2], from: el.selectionStart - found[2].length - 1 };
    if (asked?.from === next.from && asked.query === next.query) return;
    setAsked(next);
    setLit(0);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current?.(next.query), asked ? PAUSE : 0);
  };
  const pick = (person) => {
    const el = box.current;
    const before = el.value.slice(0, asked.from);
    const after = el.value.slice(asked.from + 1 + query.length);
    const put = `@${person.label}${/^\s/.test(after) ? "" : " "}`;
    onPick(before + put + after, { id: person.value, name: person.label });
    setAsked(null);
    caret.current = before.length + put.length;
  };
  // With the new text, not a frame later: somebody types on meanwhile.
  useLayoutEffect(() => {
    if (caret.current === null || !box.current) return;
    box.current.focus();
    box.current.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });
  // True when the key was for the list.
  const keys = (e) => {
    if (!open || e.ctrlKey || e.metaKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) setLit((at + step + hits.length) % hits.length);
    else if (e.key === "Enter" || e.key === "Tab") pick(hits[at]);
    else if (e.key === "Escape") setAsked(null);
    else return false;
    e.preventDefault();
    e.stopPropagation();
    return true;
  };
  const attrs = {
    "aria-autocomplete": "list",
    "aria-controls": open ? `${id}-list` : undefined,
    "aria-activedescendant": open ? `${id}-${at}` : undefined,
    onKeyUp: look,
    onClick: look,
    onBlur: () => setAsked(null),
  };
  const shown = (
    <>
      <div ref={list} popover="manual" className="menu choices" onMouseDown={(e) => e.preventDefault()}>
        <div id={`${id}-list`} role="listbox" aria-label="Colleagues">
          {hits.map((p, i) => (
            <div
              key={p.value}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === at}
              className="opt"
              onMouseMove={() => setLit(i)}
              onClick={() => pick(p)}
            >
              <span className="clip">{p.label}</span>
              {p.hint && <span className="tail small">{p.hint}</span>}
            </div>
          ))}
        </div>
      </div>
      <span className="sr" role="status">
        {open ? `${hits.length} ${hits.length === 1 ? "colleague" : "colleagues"}, ${hits[at].label}. Enter takes the name` : ""}
      </span>
    </>
  );
  return { keys, attrs, shown, look };
}

/* The names that were picked and still stand in the text. */
export const stillThere = (mentions = [], text = "") => mentions.filter((m) => text.includes(`@${m.name}`));
