import { useEffect, useId, useRef, useState } from "react";
import { useReturn } from "./connection.jsx";
import { stillThere, useMentions } from "./mentions.jsx";
import { newOperation } from "./operation.js";

const ERROR =
  "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1m0 1a6 6 0 1 0 0 12A6 6 0 0 0 8 2m0 8a.75.75 0 1 1 0 1.5.75.75 0 0 1 0-1.5m0-5.5a.5.5 0 0 1 .5.41V8.5a.5.5 0 0 1-1 .09V5c0-.28.22-.5.5-.5";

const read = (key) => {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
};
const write = (key, draft) => {
  try {
    if (draft) localStorage.setItem(key, JSON.stringify(draft));
    else localStorage.removeItem(key);
  } catch {
    // a full or forbidden store costs only the draft
  }
};
const local = (day) => new Date(day - day.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
const tomorrow = () => {
  const day = new Date();
  day.setDate(day.getDate() + 1);
  day.setHours(9, 0, 0, 0);
  return local(day);
};
const BLANK = { text: "", who: "", outcome: "", minutes: "", at: "", operation: "", mentions: [] };

/* Writes down what was done, or plans it: kinds as tabs, words, with whom, how it went, when. The draft lives in the
   browser's store until the server says that it has it. The same words sent again, because no answer came, keep their
   operation id, so that they are written down once. */
export function Composer({ kinds = [], people = [], found = [], store, answer, onLog, onMention }) {
  const id = useId();
  const [kind, setKind] = useState(kinds[0]?.value ?? "");
  const [draft, setDraft] = useState(BLANK);
  const [sent, setSent] = useState(null);
  const [message, setMessage] = useState("");
  const [heard, setHeard] = useState("");
  const box = useRef(null);
  const tabs = useRef(null);
  const names = useMentions({
    box,
    people: found,
    onSearch: onMention,
    onPick: (text, mention) => keep({ ...draft, text, mentions: [...(draft.mentions ?? []), mention] }),
  });
  const clock = useRef(null);

  useEffect(() => {
    const { kind: kept, ...rest } = read(store);
    setDraft({ ...BLANK, ...rest });
    setKind(kinds.some((k) => k.value === kept) ? kept : (kinds[0]?.value ?? ""));
    setSent(null);
    setMessage("");
  }, [store, kinds.length]);

  const stamp = answer?.at ?? null;
  useEffect(() => {
    if (!sent || stamp === null || stamp === sent.stamp) return;
    setSent(null);
    if (answer.state === "error") {
      setMessage(answer.message);
      return box.current?.focus();
    }
    setHeard(`${sent.label} saved`);
    setDraft(BLANK);
    write(store, null);
  }, [stamp]);

  useReturn(() => sent && onLog?.(sent.given));

  // grows with its words
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    el.style.height = "";
    el.style.height = `${Math.min(Math.max(el.scrollHeight, 46), 240)}px`;
  }, [draft.text, kind]);

  const now = kinds.find((k) => k.value === kind) ?? kinds[0];
  if (!now) return null;

  const keep = (changed, nextKind = kind, operation = "") => {
    const next = { ...changed, operation };
    setDraft(next);
    setMessage("");
    write(store, { ...next, kind: nextKind });
  };
  const choose = (value) => {
    setKind(value);
    const needsDay = kinds.find((k) => k.value === value)?.planned;
    keep({ ...draft, outcome: "", at: needsDay ? draft.at || tomorrow() : draft.at }, value);
  };
  const walk = (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const at = kinds.findIndex((k) => k.value === kind);
    choose(kinds[(at + step + kinds.length) % kinds.length].value);
    requestAnimationFrame(() => tabs.current?.querySelector("[aria-selected=true]")?.focus());
  };

  const at = now.planned ? draft.at || tomorrow() : draft.at;
  const planned = now.planned || (at && new Date(at) > new Date());
  const ready = Boolean(draft.text.trim() || (now.talk && draft.who));
  const verb = `${planned ? "Plan" : "Log"} ${now.label.toLowerCase()}`;

  const log = () => {
    if (sent) return;
    if (!ready) return box.current?.focus();
    const operation = draft.operation || newOperation();
    const talked = planned ? { outcome: "", minutes: "" } : {};
    const mentions = stillThere(draft.mentions, draft.text);
    const given = { kind, ...draft, mentions, at, ...talked, store, operation };
    keep(draft, kind, operation);
    setSent({ stamp, label: now.label, given });
    setHeard("");
    onLog?.(given);
  };
  const keys = (e) => {
    if (e.key !== "Enter" || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    log();
  };
  const chooseTime = () => {
    keep({ ...draft, at: local(new Date()) });
    requestAnimationFrame(() => clock.current?.focus());
  };
  const field = (name) => ({
    value: draft[name],
    onChange: (e) => {
      keep({ ...draft, [name]: e.target.value });
      if (name === "text") names.look();
    },
  });
  const choice = (name, label, empty, options) => (
    <select className="quiet" aria-label={label} {...field(name)}>
      <option value="">{empty}</option>
      {options.map((o) => (
        <option key={o.value} value={o.value}>
          {o.label}
        </option>
      ))}
    </select>
  );

  return (
    <div className="composer" onKeyDown={keys}>
      <div ref={tabs} className="kinds" role="tablist" aria-label="What to write down" onKeyDown={walk}>
        {kinds.map((k) => (
          <button
            key={k.value}
            id={`${id}-${k.value}`}
            type="button"
            role="tab"
            data-kind={k.value}
            aria-selected={k.value === kind}
            aria-controls={`${id}-panel`}
            tabIndex={k.value === kind ? 0 : -1}
            onClick={() => choose(k.value)}
          >
            <svg className="i i24" viewBox="0 0 24 24" aria-hidden="true">
              <path d={k.path} />
            </svg>
            {k.label}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${kind}`}>
        <textarea
          ref={box}
          aria-label={now.ask}
          aria-invalid={message ? true : undefined}
          aria-describedby={message ? `${id}-error` : undefined}
          placeholder={now.ask}
          {...field("text")}
          {...names.attrs}
          onKeyDown={names.keys}
        />
        {names.shown}
        {message && (
          <p className="error" id={`${id}-error`} role="alert">
            <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
              <path d={ERROR} />
            </svg>
            <span>{message}</span>
          </p>
        )}
        <div className="foot">
          {people.length > 0 && choice("who", "With whom", "With …", people)}
          {!planned && now.outcomes?.length > 0 && choice("outcome", "Outcome", "Outcome", now.outcomes)}
          {!planned && now.talk && (
            <input
              className="quiet"
              type="number"
              min="0"
              max="10080"
              aria-label="Minutes"
              placeholder="Min"
              {...field("minutes")}
            />
          )}
          {now.timed && !at && (
            <button type="button" className="quiet" aria-label="When: now, choose another time" onClick={chooseTime}>
              Now
            </button>
          )}
          {now.timed && at && (
            <input
              ref={clock}
              className="quiet"
              type="datetime-local"
              aria-label="When"
              {...field("at")}
              value={at}
            />
          )}
          <button
            type="button"
            className={ready ? "btn sm primary push" : "btn sm push"}
            aria-keyshortcuts="L Control+Enter"
            aria-busy={sent ? true : undefined}
            data-log=""
            onClick={log}
          >
            {verb}
            <kbd aria-hidden="true">L</kbd>
          </button>
        </div>
      </div>
      <span className="sr" role="status">
        {heard}
      </span>
    </div>
  );
}
