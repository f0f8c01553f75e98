import { useEffect, useState } from "react";

const DISMISS =
  "m2.59 2.72.06-.07a.5.5 0 0 1 .63-.06l.07.06L8 7.29l4.65-4.64a.5.5 0 0 1 .7.7L8.71 8l4.64 4.65c.18.17.2.44.06.63l-.06.07a.5.5 0 0 1-.63.06l-.07-.06L8 8.71l-4.65 4.64a.5.5 0 0 1-.7-.7L7.29 8 2.65 3.35a.5.5 0 0 1-.06-.63l.06-.07z";
const ERROR =
  "M10 2a8 8 0 1 1 0 16 8 8 0 0 1 0-16m0 1a7 7 0 1 0 0 14 7 7 0 0 0 0-14m0 9.5a.75.75 0 1 1 0 1.5.75.75 0 0 1 0-1.5M10 6a.5.5 0 0 1 .5.41V11a.5.5 0 0 1-1 .09V6.5c0-.28.22-.5.5-.5";
const MOST = 3;

// Outlives the page: a notice stays when the person goes on, and none comes twice.
const kept = { seen: new Set(), shown: [] };

function Notice({ notice, isLast, onAct, onClose }) {
  const failed = notice.kind === "error";
  return (
    <div className={failed ? "notice bad" : "notice"} role={failed ? "alert" : undefined}>
      {failed && (
        <svg className="i" viewBox="0 0 20 20" aria-hidden="true">
          <path d={ERROR} />
        </svg>
      )}
      <span className="grow">{notice.text}</span>
      {notice.action && (
        <button type="button" className="btn" data-undo={isLast ? "" : undefined} onClick={onAct}>
          {notice.action}
        </button>
      )}
      <button type="button" className="icon-btn" aria-label="Close" onClick={onClose}>
        <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
          <path d={DISMISS} />
        </svg>
      </button>
      {/* the running line is the clock: CSS stops it on hover and focus, so time stops with it */}
      {!failed && <span className="left" onAnimationEnd={onClose} />}
    </div>
  );
}

const push = (old, fresh) => {
  const all = [...old, ...fresh];
  const passing = all.filter((n) => n.kind !== "error").slice(0, Math.max(all.length - MOST, 0));
  return all.filter((n) => !passing.includes(n));
};

export function Notices({ items, onAction }) {
  const [shown, setShown] = useState(kept.shown);
  const show = (next) => {
    kept.shown = next;
    setShown(next);
  };

  useEffect(() => {
    const fresh = (items ?? []).filter((n) => !kept.seen.has(n.id));
    if (!fresh.length) return;
    fresh.forEach((n) => kept.seen.add(n.id));
    show(push(kept.shown, fresh));
  }, [items]);

  const close = (id) => show(kept.shown.filter((n) => n.id !== id));

  // Notices made in the page, for when the server cannot be reached; `run` is what their button does.
  useEffect(() => {
    const others = (id) => kept.shown.filter((n) => n.id !== id);
    const hear = ({ detail }) => show(push(others(detail.id), [detail]));
    const gone = ({ detail }) => show(others(detail.id));
    window.addEventListener("crm:notice", hear);
    window.addEventListener("crm:notice-gone", gone);
    return () => {
      window.removeEventListener("crm:notice", hear);
      window.removeEventListener("crm:notice-gone", gone);
    };
  }, []);

  const last = shown.findLast((n) => n.action === "Undo"); // what Ctrl Z takes back
  return (
    <div className="notices" role="status" aria-live="polite">
      {shown.map((n) => (
        <Notice
          key={n.id}
          notice={n}
          isLast={n === last}
          onClose={() => close(n.id)}
          onAct={() => {
            close(n.id);
            if (n.run) n.run();
            else onAction?.(n.id, n.action, n.payload ?? "");
          }}
        />
      ))}
    </div>
  );
}
