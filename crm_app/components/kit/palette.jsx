import { useEffect, useId, useMemo, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { isThere, perform, performWhenThere } from "./acts.js";
import { Keycaps } from "./hotkeys.jsx";
import { keyOf, offered, parts, readTyped } from "./palette_rows.js";

const TYPE_PAUSE = 120;
const SEARCH =
  "M13.73 14.44a6.5 6.5 0 1 1 .7-.7l3.42 3.4a.5.5 0 0 1-.63.77l-.07-.06zm-.71-.71A5.5 5.5 0 0 0 15 9.5a5.5 5.5 0 1 0-1.98 4.23";
const ARROW =
  "M10.84 3.13a.5.5 0 0 0-.68.74l6.17 5.63H2.5a.5.5 0 0 0 0 1h13.83l-6.17 5.63a.5.5 0 0 0 .68.74l6.91-6.32a.75.75 0 0 0 0-1.1z";
const DISMISS =
  "m2.59 2.72.06-.07a.5.5 0 0 1 .63-.06l.07.06L8 7.29l4.65-4.64a.5.5 0 0 1 .7.7L8.71 8l4.64 4.65c.18.17.2.44.06.63l-.06.07a.5.5 0 0 1-.63.06l-.07-.06L8 8.71l-4.65 4.64a.5.5 0 0 1-.7-.7L7.29 8 2.65 3.35a.5.5 0 0 1-.06-.63l.06-.07z";
const RECORD = /^\/[a-z-]+\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/?$/;

function Lit({ text, query }) {
  return parts(text, query).map((part, i) => (part.lit ? <mark key={i}>{part.text}</mark> : part.text));
}

function Sign({ row, icons }) {
  if (row.mark) {
    return (
      <span className={`av t${row.tint} ${row.square ? "sq" : ""}`} aria-hidden="true">
        {row.mark}
      </span>
    );
  }
  return (
    <svg className="i" viewBox="0 0 20 20" aria-hidden="true">
      <path d={icons[row.icon] || ARROW} />
    </svg>
  );
}

function Option({ row, id, isLit, query, icons, onLight, onRun }) {
  return (
    <div id={id} role="option" aria-selected={isLit} className="opt" onMouseMove={onLight} onClick={onRun}>
      <Sign row={row} icons={icons} />
      <span className="clip">
        <Lit text={row.label} query={row.lit || query} />
        {row.hint && (
          <span className="muted">
            {" "}
            <Lit text={row.hint} query={row.lit || query} />
          </span>
        )}
      </span>
      {row.end && <span className={row.stage ? `tail num stage ${row.stage}` : "tail num"}>{row.end}</span>}
      {row.keys && (
        <span className="tail hide-s" aria-hidden="true">
          <Keycaps keys={row.keys} />
        </span>
      )}
    </div>
  );
}

/* Search, act and go: opened by whatever carries `data-find`, closed by Esc, a click outside or a choice. Acts and places
   are found in the page, records by Python. What Python found for earlier letters stays until it has answered anew. */
export function Palette({
  places = [],
  acts = [],
  commands = [],
  about = {},
  results = [],
  answered = "",
  recents = [],
  rights = {},
  icons = {},
  onSearch,
  onVisit,
  onRecall,
  onRun,
}) {
  const id = useId();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const dialog = useRef(null);
  const list = useRef(null);
  const timer = useRef(null);
  const eager = useRef(false);
  const before = useRef("");
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [lit, setLit] = useState(null);
  const [wide, setWide] = useState(false);

  useEffect(() => {
    const clicked = (e) => {
      if (e.target.closest?.("[data-find]")) setOpen(true);
    };
    document.addEventListener("click", clicked);
    return () => {
      document.removeEventListener("click", clicked);
      clearTimeout(timer.current);
    };
  }, []);
  useEffect(() => {
    if (RECORD.test(pathname)) onVisit?.(pathname);
  }, [pathname]);
  useEffect(() => {
    if (open) {
      before.current = answered;
      dialog.current.showModal();
      onRecall?.(pathname);
    } else if (dialog.current.open) dialog.current.close();
  }, [open]);

  const { only, query } = readTyped(typed);
  const text = typed.trim();
  const isHere = about.address === pathname.replace(/\/$/, "");
  const here = useMemo(() => {
    if (!open || wide) return [];
    const own = isHere ? commands.filter((c) => c.id || c.href || isThere(c)) : [];
    return [...own.map((c) => ({ ...c, group: about.group })), ...acts.filter((a) => a.icon && isThere(a))];
  }, [open, wide, isHere, commands, acts, about]);
  const allowed = places.filter((p) => !p.right || rights[p.right]);
  const waiting = query !== "" && only !== "commands" && text !== answered;
  // of an earlier visit to the palette only what goes on from there
  const isNews = answered !== before.current || (answered !== "" && (text.startsWith(answered) || answered.startsWith(text)));
  const rows = offered({ only, query, here, hits: isNews ? results : [], recents, places: allowed });
  const groups = [...new Set(rows.map((r) => r.group))];
  const found = rows.findIndex((r) => keyOf(r) === lit);
  const active = found < 0 ? 0 : found;

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active]);
  useEffect(() => {
    if (!waiting && eager.current) {
      eager.current = false;
      if (rows[active]) run(rows[active]);
    }
  }, [waiting]);

  const close = () => {
    clearTimeout(timer.current);
    eager.current = false;
    setOpen(false);
    setTyped("");
    setLit(null);
    setWide(false);
  };
  const type = (value) => {
    setTyped(value);
    setLit(null);
    eager.current = false;
    clearTimeout(timer.current);
    const asked = value.trim();
    if (readTyped(asked).only !== "commands") timer.current = setTimeout((t) => onSearch?.(t), TYPE_PAUSE, asked);
  };
  const run = (row) => {
    close();
    if (row.href) {
      navigate(row.href);
      if (row.press) performWhenThere(row);
    } else if (row.press || row.focus) setTimeout(perform, 0, row);
    else onRun?.(row.id);
  };
  const keys = (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step && rows.length) {
      e.preventDefault();
      setLit(keyOf(rows[(active + step + rows.length) % rows.length]));
    } else if (e.key === "Enter" && !e.nativeEvent.isComposing) {
      e.preventDefault();
      // records of earlier letters may not be what is meant: the first one of the answer is
      if (waiting && lit === null && !here.includes(rows[active])) eager.current = true;
      else if (rows[active]) run(rows[active]);
    } else if (e.key === "?" && typed === "") {
      e.preventDefault();
      close();
      document.querySelector("[data-keys]")?.click();
    } else if (e.key === "Backspace" && typed === "" && isHere && !wide) setWide(true);
  };
  const begin = (sign) => {
    type(sign + query);
    dialog.current.querySelector("input")?.focus();
  };

  return (
    <dialog
      ref={dialog}
      className="dialog palette"
      aria-label="Search and commands"
      onClose={close}
      onMouseDown={(e) => e.target === dialog.current && close()}
    >
      {open && (
        <>
          <div className="q">
            <svg className="i" viewBox="0 0 20 20" aria-hidden="true">
              <path d={SEARCH} />
            </svg>
            <input
              autoFocus
              role="combobox"
              aria-label="Search records, pages and commands"
              aria-expanded="true"
              aria-controls={`${id}-list`}
              aria-activedescendant={rows[active] ? `${id}-${active}` : undefined}
              autoComplete="off"
              placeholder="Search or type a command"
              value={typed}
              onChange={(e) => type(e.target.value)}
              onKeyDown={keys}
            />
            {isHere && !wide && (
              <span className="badge hide-s">
                <span className="clip">{about.label}</span>
                <button type="button" aria-label="Search everywhere" onClick={() => setWide(true)}>
                  <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
                    <path d={DISMISS} />
                  </svg>
                </button>
              </span>
            )}
            <button type="button" className="btn ghost sm show-s" onClick={close}>
              Cancel
            </button>
          </div>
          <div className="list" ref={list} id={`${id}-list`} role="listbox" aria-label="Results" aria-busy={waiting}>
            {groups.map((group) => (
              <div key={group} role="group" aria-label={group}>
                <h3 aria-hidden="true">{group}</h3>
                {rows.map((row, i) =>
                  row.group !== group ? null : (
                    <Option
                      key={keyOf(row)}
                      id={`${id}-${i}`}
                      {...{ row, query, icons }}
                      isLit={i === active}
                      onLight={() => lit !== keyOf(row) && setLit(keyOf(row))}
                      onRun={() => run(row)}
                    />
                  ),
                )}
              </div>
            ))}
          </div>
          {rows.length === 0 && (
            <p className="none" role="status">
              {waiting ? "Searching…" : query ? `Nothing found for “${query}”` : "Type a name, an e-mail or a number"}
            </p>
          )}
          <p className="sr" role="status">
            {query && !waiting && results.length > 0 ? `${results.length} records found` : ""}
          </p>
          <div className="foot">
            <span className="hide-s" aria-hidden="true">
              <kbd>↑</kbd>
              <kbd>↓</kbd> move
            </span>
            <span className="hide-s" aria-hidden="true">
              <kbd>Enter</kbd> run
            </span>
            <button type="button" onClick={() => begin(">")}>
              <kbd>&gt;</kbd> commands
            </button>
            <button type="button" onClick={() => begin("@")}>
              <kbd>@</kbd> people
            </button>
            <button type="button" className="push hide-s" data-keys="" onClick={close}>
              <kbd>?</kbd> all keys
            </button>
          </div>
        </>
      )}
    </dialog>
  );
}
