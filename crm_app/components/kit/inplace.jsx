import { useEffect, useId, useRef, useState } from "react";
import { Link } from "react-router";
import { Combo } from "./combo.jsx";
import { Conflicts, present } from "./conflict.jsx";
import { useReturn } from "./connection.jsx";
import { Picks } from "./picks.jsx";

const EDIT =
  "M14.24 1.76a2.6 2.6 0 0 0-3.71 0L2.66 9.64q-.57.57-.78 1.35l-.86 3.39a.5.5 0 0 0 .6.6l3.39-.86q.78-.21 1.35-.78l7.88-7.87a2.6 2.6 0 0 0 0-3.7m-3 .71a1.62 1.62 0 1 1 2.29 2.3l-.78.77-2.3-2.29zM9.75 3.96l2.3 2.29-6.4 6.39q-.37.37-.89.5l-2.57.67.66-2.57q.14-.52.51-.9z";
const ERROR =
  "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1m0 1a6 6 0 1 0 0 12A6 6 0 0 0 8 2m0 8a.75.75 0 1 1 0 1.5.75.75 0 0 1 0-1.5m0-5.5a.5.5 0 0 1 .5.41V8.5a.5.5 0 0 1-1 .09V5c0-.28.22-.5.5-.5";
// What is typed and not yet saved, by page and field: it outlives the part, which goes when the page is drawn anew.
const drafts = new Map();
const place = (name) => `${window.location.pathname}#${name}`;
const BAR_AFTER = 300;
const WAITING_AFTER = 8000;
const TICK = 1000;

const LISTS = ["choice", "link"];
const SEVERAL = ["picks", "tags"];
const PARTS = /;\s*/;
const INPUT = {
  text: { type: "text" },
  email: { type: "email" },
  phone: { type: "tel" },
  url: { type: "url" },
  number: { type: "text", inputMode: "decimal" },
  money: { type: "text", inputMode: "decimal" },
  date: { type: "date" },
  moment: { type: "datetime-local" },
};

const Icon = ({ d, className = "i i16" }) => (
  <svg className={className} viewBox="0 0 16 16" aria-hidden="true">
    <path d={d} />
  </svg>
);

/* A value that is edited where it stands. It owns what is typed, so no answer of the server can eat a character:
   rest -> editing -> saving (bar after 300 ms) -> saved (tick for 1 s), error (typed text kept, Retry) or conflict
   (somebody was faster: a dialog asks which value shall stand). With every value goes the one that was seen when editing
   began. */
export function InPlace({
  name,
  label,
  kind = "text",
  value = "",
  display,
  empty = "Add",
  hint,
  status,
  options = [],
  href,
  onSave,
  onSearch,
  onCreate,
  atOnce,
  onRest,
}) {
  const id = useId();
  const [mode, setMode] = useState(atOnce ? "edit" : "rest");
  const now = useRef(mode);
  const [text, setText] = useState(atOnce ? (value ?? "") : "");
  const [slow, setSlow] = useState(false);
  const [waiting, setWaiting] = useState(false);
  const [ticked, setTicked] = useState(false);
  const [heard, setHeard] = useState("");
  const [message, setMessage] = useState("");
  const [theirs, setTheirs] = useState(null);
  const [asks, setAsks] = useState(false);
  const start = useRef(text);
  const startShown = useRef(atOnce ? display || text : "");
  const sent = useRef({ value: "", label: "", stamp: null });
  const field = useRef(null);
  const button = useRef(null);
  const refocus = useRef(false);
  const answer = status?.[name];
  const stamp = answer ? (answer.at ?? answer) : null;

  const shown = display || value;
  const listed = LISTS.includes(kind);

  const go = (next) => {
    now.current = next;
    setMode(next);
  };
  const keep = (next, isSent) => drafts.set(place(name), { text: next, start: start.current, isSent });
  const drop = () => drafts.delete(place(name));
  const edit = () => {
    start.current = value ?? "";
    startShown.current = shown ?? "";
    setText(value ?? "");
    setMessage("");
    setHeard("");
    setTheirs(null);
    go("edit");
  };
  const rest = () => {
    drop();
    setMessage("");
    setTheirs(null);
    go("rest");
  };
  // `now` and not `mode`: Enter removes the input, whose blur would save a second time in the same tick
  const save = (next, nextLabel) => {
    if (now.current !== "edit") return;
    if (next === start.current && !message) return rest();
    sent.current = { value: next, label: nextLabel ?? next, stamp };
    setText(next);
    setMessage("");
    setTheirs(null);
    keep(next, true);
    go("saving");
    onSave?.(name, next, start.current);
  };
  const type = (next) => {
    setText(next);
    keep(next, false);
  };
  // of a conflict: theirs stands already, anything else is saved over it; without a choice all stays as it is
  const settle = (choice) => {
    setAsks(false);
    if (!choice) return;
    refocus.current = true;
    if (choice.value === theirs.value) return rest();
    start.current = theirs.value;
    save(choice.value, choice.text);
  };
  const leave = (next = text, nextLabel = undefined) => {
    if (!message || next !== sent.current.value) save(next, nextLabel);
  };
  const cancel = () => {
    refocus.current = true;
    rest();
  };

  // sent over a line that is gone: once more, for what is saved already is saved
  useReturn(() => now.current === "saving" && onSave?.(name, sent.current.value, start.current));

  // the answer to what was sent: a stamp that is not the one of before
  useEffect(() => {
    if (mode !== "saving" || stamp === null || stamp === sent.current.stamp) return;
    if (answer.state === "error" || answer.state === "conflict") {
      setMessage(answer.message || "Not saved. Try again.");
      setTheirs(answer.state === "conflict" ? answer : null);
      setAsks(answer.state === "conflict");
      go("edit");
    } else if (answer.state === "saved") {
      drop();
      go("rest");
      setTicked(true);
      setHeard(`${label} saved`);
    }
  }, [stamp, answer?.state, mode]);

  useEffect(() => {
    if (!asks || !theirs) return;
    return present({
      key: `${id}${name}`,
      label,
      kind,
      who: theirs.who || "Somebody",
      when: theirs.when,
      mine: { value: text, shown: sent.current.label || text },
      theirs: { value: theirs.value, shown: theirs.shown },
      before: { value: start.current, shown: startShown.current || start.current },
      settle,
    });
  }, [asks, theirs]);

  // in a cell of a table: open from the start, so that what is typed after Enter goes into it, and told when it is done
  useEffect(() => {
    if (atOnce && mode === "rest" && !ticked) onRest?.();
  }, [mode, ticked]);

  // drawn anew while something was typed: go on there
  useEffect(() => {
    const draft = drafts.get(place(name));
    if (!draft || listed) return;
    if (draft.isSent && draft.text === (value ?? "")) return void drop();
    start.current = draft.start;
    setText(draft.text);
    setMessage(draft.isSent ? "No answer came. Save it again?" : "");
    sent.current = { value: draft.text, label: draft.text, stamp };
    go("edit");
  }, []);

  useEffect(() => {
    if (mode !== "saving") {
      setSlow(false);
      setWaiting(false);
      return;
    }
    const bar = setTimeout(setSlow, BAR_AFTER, true);
    const long = setTimeout(setWaiting, WAITING_AFTER, true);
    return () => {
      clearTimeout(bar);
      clearTimeout(long);
    };
  }, [mode]);
  useEffect(() => {
    if (!ticked) return;
    const timer = setTimeout(setTicked, TICK, false);
    return () => clearTimeout(timer);
  }, [ticked]);

  useEffect(() => {
    const el = field.current;
    if (mode === "edit" && el && document.activeElement !== el) {
      el.focus();
      if (!message) el.select?.();
    }
    if (mode !== "edit" && refocus.current) button.current?.focus();
    refocus.current = false;
  }, [mode]);

  // text that is typed and not yet saved must survive leaving the page
  const dirty = mode === "saving" || (mode === "edit" && !listed && text !== start.current);
  useEffect(() => {
    if (!dirty) return;
    const ask = (e) => e.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [dirty]);

  const keys = (e) => {
    if (e.key === "Escape") {
      e.stopPropagation();
      refocus.current = true;
      rest();
    } else if (e.key === "Enter" && !e.nativeEvent.isComposing && (kind !== "long" || e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      refocus.current = true;
      save(text);
    }
  };

  const changed = mode === "edit" && (value ?? "") !== start.current;
  const note = changed ? `Meanwhile: ${shown || "empty"}` : hint;
  const help = message ? `${id}-error` : note ? `${id}-hint` : undefined;

  if (mode === "edit") {
    const shared = {
      id: `${id}-input`,
      "aria-label": label,
      "aria-invalid": message ? true : undefined,
      "aria-describedby": help,
    };
    return (
      <div className="editing">
        {listed ? (
          <Combo
            id={`${id}-input`}
            label={label}
            value={text}
            text={text === start.current ? display : sent.current.label}
            options={options}
            invalid={Boolean(message)}
            describedBy={help}
            focus
            onSearch={onSearch && ((q) => onSearch(name, q))}
            onCreate={onCreate && ((q) => onCreate(name, q))}
            onPick={(v, l) => {
              refocus.current = true;
              save(v, l);
            }}
            onCancel={cancel}
            onLeave={() => now.current === "edit" && !message && rest()}
          />
        ) : SEVERAL.includes(kind) ? (
          <Picks
            id={`${id}-input`}
            label={label}
            value={text}
            options={options}
            free={kind === "tags"}
            invalid={Boolean(message)}
            describedBy={help}
            focus
            onSearch={kind === "tags" && onSearch ? (q) => onSearch(name, q) : undefined}
            onChange={type}
            onDone={(v, l) => {
              refocus.current = true;
              save(v, l);
            }}
            onCancel={cancel}
            onLeave={leave}
          />
        ) : kind === "long" ? (
          <textarea
            {...shared}
            ref={field}
            className="input"
            rows={4}
            value={text}
            onChange={(e) => type(e.target.value)}
            onKeyDown={keys}
            onBlur={() => leave()}
          />
        ) : (
          <input
            {...shared}
            {...INPUT[kind]}
            ref={field}
            className="input"
            value={text}
            onChange={(e) => type(e.target.value)}
            onKeyDown={keys}
            onBlur={() => leave()}
          />
        )}
        {message && (
          <p className="error" id={`${id}-error`} role="alert">
            <Icon d={ERROR} />
            <span>{message}</span>
            <button type="button" className="btn link sm" onClick={theirs ? () => setAsks(true) : () => save(text)}>
              {theirs ? "Compare" : "Retry"}
            </button>
            <button type="button" className="btn link sm" onClick={rest}>
              Cancel
            </button>
          </p>
        )}
        {!message && note && (
          <p className="hint" id={`${id}-hint`}>
            {note}
          </p>
        )}
        {asks && <Conflicts mine={`${id}${name}`} />}
      </div>
    );
  }

  const saving = mode === "saving";
  const words = saving ? sent.current.label : shown;
  const tags = SEVERAL.includes(kind) && words ? words.split(PARTS) : null;
  const state = saving && slow ? "saving" : ticked ? "saved" : "";
  const pen = <Icon d={EDIT} className="i i16 pen" />;
  return (
    <>
      {href && words && !saving ? (
        <span className={`val ${state}`}>
          <Link to={href} className="shown">
            {words}
          </Link>
          <button ref={button} type="button" className="pen-btn" aria-label={`Edit ${label}`} onClick={edit}>
            {pen}
          </button>
        </span>
      ) : (
        <button
          ref={button}
          type="button"
          className={`val ${state}`}
          aria-label={tags ? undefined : `${label}: ${words || empty}, edit`}
          aria-busy={saving || undefined}
          onClick={saving ? undefined : edit}
        >
          {tags ? (
            <span className="shown line wrap tight">
              <span className="sr">{label}, edit:</span>
              {tags.map((tag) => (
                <span key={tag} className="badge">
                  {tag}
                </span>
              ))}
            </span>
          ) : (
            <span className={words ? "shown" : "shown none"}>{words || empty}</span>
          )}
          {pen}
        </button>
      )}
      {waiting && <p className="hint">Still waiting for the server. What you typed is kept</p>}
      <span className="sr" role="status">
        {heard}
      </span>
    </>
  );
}
