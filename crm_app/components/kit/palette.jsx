import { useEffect, useId, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";

const TYPE_PAUSE = 120;
const SEARCH =
  "M13.73 14.44a6.5 6.5 0 1 1 .7-.7l3.42 3.4a.5.5 0 0 1-.63.77l-.07-.06zm-.71-.71A5.5 5.5 0 0 0 15 9.5a5.5 5.5 0 1 0-1.98 4.23";
const ARROW =
  "M10.84 3.13a.5.5 0 0 0-.68.74l6.17 5.63H2.5a.5.5 0 0 0 0 1h13.83l-6.17 5.63a.5.5 0 0 0 .68.74l6.91-6.32a.75.75 0 0 0 0-1.1z";

const RECENT = "crm-recent";
const KEPT = 8;
const RECORD = /^\/[a-z-]+\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/?$/;

/* Addresses of records this browser was at, the last one first. Without storage there are none. */
const recall = () => {
  try {
    const kept = JSON.parse(localStorage.getItem(RECENT) || "[]");
    return Array.isArray(kept) ? kept.filter((a) => typeof a === "string" && RECORD.test(a)).slice(0, KEPT) : [];
  } catch {
    return [];
  }
};
const remember = (address) => {
  const at = address.replace(/\/$/, "");
  if (!RECORD.test(at)) return;
  try {
    localStorage.setItem(RECENT, JSON.stringify([at, ...recall().filter((a) => a !== at)].slice(0, KEPT)));
  } catch {
    /* storage is full or forbidden: nothing is remembered */
  }
};

const PLAIN = { ø: "o", ł: "l", đ: "d", ð: "d", ß: "s", æ: "a", œ: "o", ı: "i" };
/* Letter by letter, so that places in the folded text are places in the text. */
const foldLetter = (letter) => {
  const bare = letter.normalize("NFD")[0].toLowerCase();
  return (PLAIN[bare] || bare).padEnd(letter.length, "\u0000").slice(0, letter.length);
};
const fold = (text) => Array.from(text, foldLetter).join("");

/* The parts of a text; those that begin a word like one of the query's words are marked. */
const parts = (text, query) => {
  const words = fold(query).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const found = [];
  if (words.length === 0) return [{ text }];
  const plain = fold(text);
  let done = 0;
  for (const start of plain.matchAll(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)) {
    const hits = words.filter((w) => plain.startsWith(w, start.index)).map((w) => w.length);
    if (hits.length === 0 || start.index < done) continue;
    found.push({ text: text.slice(done, start.index) });
    done = start.index + Math.max(...hits);
    found.push({ text: text.slice(start.index, done), lit: true });
  }
  return [...found, { text: text.slice(done) }];
};

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

/* Search and go: opened by whatever carries `data-find`, closed by Esc, a click outside or a choice. Places are found
   in the page, records by Python. */
export function Palette({
  places = [],
  results = [],
  answered = "",
  recents = [],
  icons = {},
  onSearch,
  onRecall,
  onRun,
}) {
  const id = useId();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const dialog = useRef(null);
  const list = useRef(null);
  const timer = useRef(null);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);

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
  useEffect(() => remember(pathname), [pathname]);
  useEffect(() => {
    if (open) {
      dialog.current.showModal();
      onRecall?.(recall().filter((a) => a !== pathname.replace(/\/$/, "")));
    } else if (dialog.current.open) dialog.current.close();
  }, [open]);

  const query = typed.trim();
  const here = places.filter((p) => !query || p.label.toLowerCase().includes(query.toLowerCase()));
  const fits = answered !== "" && (query.startsWith(answered) || answered.startsWith(query));
  const found = query ? (fits ? results : []) : recents;
  const rows = [...found, ...here.map((p) => ({ ...p, group: "Go to" }))];
  const groups = [...new Set(rows.map((r) => r.group))];
  const active = Math.min(at, rows.length - 1);
  const waiting = query !== "" && query !== answered;

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const close = () => {
    setOpen(false);
    setTyped("");
    setAt(0);
  };
  const type = (e) => {
    setTyped(e.target.value);
    setAt(0);
    clearTimeout(timer.current);
    timer.current = setTimeout((text) => onSearch?.(text), TYPE_PAUSE, e.target.value.trim());
  };
  const run = (row) => {
    close();
    if (row.href) navigate(row.href);
    else onRun?.(row.id);
  };
  const keys = (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) {
      e.preventDefault();
      setAt((active + step + rows.length) % (rows.length || 1));
    } else if (e.key === "Enter" && rows[active]) {
      e.preventDefault();
      run(rows[active]);
    }
  };

  return (
    <dialog
      ref={dialog}
      className="dialog palette"
      aria-label="Search"
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
              aria-label="Search deals, accounts, contacts and pages"
              aria-expanded="true"
              aria-controls={`${id}-list`}
              aria-activedescendant={rows[active] ? `${id}-${active}` : undefined}
              autoComplete="off"
              placeholder="Search or go to"
              value={typed}
              onChange={type}
              onKeyDown={keys}
            />
            <button type="button" className="btn ghost sm show-s" onClick={close}>
              Cancel
            </button>
          </div>
          <div className="list" ref={list} id={`${id}-list`} role="listbox" aria-label="Results">
            {groups.map((group) => (
              <div key={group} role="group" aria-label={group}>
                <h3 aria-hidden="true">{group}</h3>
                {rows.map((row, i) =>
                  row.group !== group ? null : (
                    <div
                      key={row.href || row.id}
                      id={`${id}-${i}`}
                      role="option"
                      aria-selected={i === active}
                      className="opt"
                      onMouseMove={() => setAt(i)}
                      onClick={() => run(row)}
                    >
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
                      {row.end && <span className="tail num">{row.end}</span>}
                      {row.keys && (
                        <span className="tail" aria-hidden="true">
                          {row.keys.split(" ").map((k) => (
                            <kbd key={k}>{k.toUpperCase()}</kbd>
                          ))}
                        </span>
                      )}
                    </div>
                  ),
                )}
              </div>
            ))}
          </div>
          {rows.length === 0 && (
            <p className="none" role="status">
              {waiting ? "Searching…" : `Nothing found for “${query}”`}
            </p>
          )}
          <p className="sr" role="status">
            {query && !waiting && found.length > 0 ? `${found.length} found` : ""}
          </p>
          <p className="foot hide-s" aria-hidden="true">
            <span>
              <kbd>↑</kbd>
              <kbd>↓</kbd> move
            </span>
            <span>
              <kbd>Enter</kbd> open
            </span>
            <span>
              <kbd>Esc</kbd> close
            </span>
          </p>
        </>
      )}
    </dialog>
  );
}
