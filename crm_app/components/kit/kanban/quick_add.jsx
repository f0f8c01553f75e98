// Quick add in a column: title, amount, Enter. What was typed stays until the server has it.
import { useEffect, useId, useRef, useState } from "react";
import { fill } from "./model.js";
import { newOp } from "./outbox.js";

function Field({ id, label, error, ...input }) {
  return (
    <div className="field">
      <label className="sr" htmlFor={id}>
        {label}
      </label>
      <input
        className="input"
        id={id}
        placeholder={label}
        autoComplete="off"
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
        {...input}
      />
      {error && (
        <span className="error" id={`${id}-error`} role="alert">
          {error}
        </span>
      )}
    </div>
  );
}

export function QuickAdd({ stage, name, result, api }) {
  const { labels } = api;
  const id = useId();
  const first = useRef(null);
  const [title, setTitle] = useState("");
  const [amount, setAmount] = useState("");
  const [error, setError] = useState({});
  const [waiting, setWaiting] = useState(null);
  // The same text sent again keeps its id, so that a lost answer never makes two deals; the answer before is known then.
  const last = useRef({});
  const known = useRef(result);

  useEffect(() => first.current.focus(), []);

  useEffect(() => {
    // Asked for more in a dialog: what was typed waits for its second answer.
    if (!waiting || result === known.current || result?.op_id !== waiting || result.outcome === "ask") return;
    setWaiting(null);
    if (result.outcome === "done") {
      setTitle("");
      setAmount("");
      last.current = {};
      first.current.focus();
    } else {
      setError({ text: result.text, ...result.fields });
    }
  }, [result, waiting]);

  const save = (event) => {
    event.preventDefault();
    if (waiting) return;
    if (!title.trim()) return setError({ title: labels.title_missing });
    setError({});
    const text = `${title}\n${amount}`;
    if (last.current.text !== text) last.current = { text, op: newOp() };
    const { op } = last.current;
    known.current = result;
    setWaiting(op);
    api.add(op, stage, title.trim(), amount.trim());
  };

  const keys = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    api.stopAdd(stage);
  };

  const general = error.title || error.amount ? null : error.text;
  return (
    <form
      className="quick-add"
      aria-label={fill(labels.add_to, { stage: name })}
      aria-busy={waiting ? true : undefined}
      onSubmit={save}
      onKeyDown={keys}
    >
      <Field id={`${id}-title`} label={labels.title} value={title} error={error.title} ref={first} maxLength={200}
        onChange={(event) => setTitle(event.target.value)} />
      <Field id={`${id}-amount`} label={labels.amount} value={amount} error={error.amount} inputMode="decimal" maxLength={24}
        onChange={(event) => setAmount(event.target.value)} />
      {general && (
        <span className="error" role="alert">
          {general}
        </span>
      )}
      <div className="line">
        <button type="submit" className="btn primary sm" aria-disabled={waiting ? true : undefined}>
          {labels.add}
        </button>
        <button type="button" className="btn ghost sm" onClick={() => api.stopAdd(stage)}>
          {labels.cancel}
        </button>
      </div>
    </form>
  );
}
