import { useEffect, useId, useRef, useState } from "react";
import { stillThere, useMentions } from "./mentions.jsx";

/* What somebody wrote (its children), with a menu to change or delete it in its place. */
export function Remark({ id, text = "", mentions = [], mayEdit, mayRemove, edited, people, answer, onSearch, onEdit, onRemove, children }) {
  const own = useId();
  const box = useRef(null);
  const opener = useRef(null);
  const [draft, setDraft] = useState(null);
  const [picked, setPicked] = useState([]);
  const [sent, setSent] = useState(null);
  const [message, setMessage] = useState("");
  const names = useMentions({
    box,
    people,
    onSearch,
    onPick: (next, mention) => {
      setDraft(next);
      setPicked((all) => [...all, mention]);
    },
  });

  const end = () => {
    setDraft(null);
    setSent(null);
    setMessage("");
    requestAnimationFrame(() => opener.current?.focus());
  };
  const stamp = answer?.id === id ? answer.at : null;
  useEffect(() => {
    if (sent === null || stamp === null || stamp === sent) return;
    setSent(null);
    if (answer.state === "error") setMessage(answer.message);
    else end();
  }, [stamp]);
  const isOpen = draft !== null;
  useEffect(() => {
    if (!isOpen) return;
    box.current.focus();
    box.current.selectionStart = box.current.value.length;
  }, [isOpen]);
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    el.style.height = "";
    el.style.height = `${Math.min(Math.max(el.scrollHeight, 46), 240)}px`;
  }, [draft]);

  if (!isOpen) {
    return (
      <div className="remark">
        {children}
        {(edited || mayEdit || mayRemove) && (
          <p className="remark-foot small">
            {edited && <span className="muted">edited</span>}
            {mayEdit && (
              <button
                ref={opener}
                type="button"
                className="linkish"
                onClick={() => {
                  setDraft(text);
                  setPicked(mentions);
                }}
              >
                Edit<span className="sr"> the comment</span>
              </button>
            )}
            {mayRemove && (
              <button type="button" className="linkish" onClick={() => onRemove?.(id)}>
                Delete<span className="sr"> the comment</span>
              </button>
            )}
          </p>
        )}
      </div>
    );
  }
  const save = () => {
    if (sent !== null || !draft.trim()) return;
    if (draft === text) return end();
    setMessage("");
    setSent(stamp ?? 0);
    onEdit?.(id, draft, stillThere(picked, draft));
  };
  const keys = (e) => {
    if (names.keys(e)) return;
    if (e.key === "Escape") {
      e.preventDefault();
      e.stopPropagation();
      end();
    } else if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      save();
    }
  };
  return (
    <div className="remark editing">
      <textarea
        ref={box}
        className="input"
        aria-label="The comment"
        aria-invalid={message ? true : undefined}
        aria-describedby={message ? `${own}-error` : undefined}
        value={draft}
        onChange={(e) => {
          setDraft(e.target.value);
          names.look();
        }}
        {...names.attrs}
        onKeyDown={keys}
      />
      {names.shown}
      {message && (
        <p className="error" id={`${own}-error`} role="alert">
          {message}
        </p>
      )}
      <p className="line">
        <button type="button" className="btn sm primary" aria-busy={sent !== null || undefined} onClick={save}>
          Save
        </button>
        <button type="button" className="btn sm ghost" onClick={end}>
          Cancel
        </button>
      </p>
    </div>
  );
}
