import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { createPortal } from "react-dom";

/* Fields that two people changed at once. Each field that heard of it is in the store until its person has chosen; the
   first of them draws the one dialog, in which all are settled together. */
let waiting = [];
const listeners = new Set();
const tell = (next) => {
  waiting = next;
  listeners.forEach((heard) => heard());
};
const listen = (heard) => {
  listeners.add(heard);
  return () => listeners.delete(heard);
};

export const present = (conflict) => {
  tell([...waiting.filter((c) => c.key !== conflict.key), conflict]);
  return () => tell(waiting.filter((c) => c !== conflict));
};

/* What of both texts can stand together: lines under lines, tags beside tags. */
const both = ({ kind, mine, theirs }) => {
  if (!mine.value || !theirs.value) return null;
  if (kind === "long") return `${theirs.value}\n${mine.value}`;
  if (kind !== "tags" && kind !== "picks") return null;
  const tags = `${theirs.value};${mine.value}`.split(";").map((t) => t.trim());
  return [...new Set(tags.filter(Boolean))].join("; ");
};

const choices = (c) => {
  const joined = both(c);
  return [
    { id: "mine", name: "Yours", text: c.mine.shown, value: c.mine.value },
    { id: "theirs", name: `Now, by ${c.who}${c.when ? `, ${c.when}` : ""}`, text: c.theirs.shown, value: c.theirs.value },
    { id: "before", name: "Before, as you saw it", text: c.before.shown, value: c.before.value },
    ...(joined ? [{ id: "both", name: "Both", text: joined, value: joined }] : []),
  ];
};

const still = (e) => e.stopPropagation(); // a portal's events reach the table behind it otherwise

export function Conflicts({ mine }) {
  const all = useSyncExternalStore(listen, () => waiting, () => waiting);
  if (!all.length || all[0].key !== mine) return null;
  return createPortal(<Dialog conflicts={all} />, document.body);
}

function Dialog({ conflicts }) {
  const ref = useRef(null);
  const [chosen, setChosen] = useState({});
  const picked = (c) => chosen[c.key] ?? "mine";

  useEffect(() => {
    if (!ref.current.open) ref.current.showModal();
    ref.current.querySelector("input:checked")?.focus();
  }, []);

  const settle = (e) => {
    e.preventDefault();
    ref.current.close();
    for (const c of [...conflicts]) c.settle(choices(c).find((one) => one.id === picked(c)));
  };
  const later = () => {
    ref.current.close();
    for (const c of [...conflicts]) c.settle(null);
  };
  const many = conflicts.length > 1;
  const whose = [...new Set(conflicts.map((c) => c.who))].join(" and ");

  return (
    <dialog
      ref={ref}
      className="dialog wide conflict"
      aria-labelledby="conflict-title"
      aria-describedby="conflict-sub"
      onCancel={(e) => {
        e.preventDefault();
        later();
      }}
      onKeyDown={still}
      onClick={still}
      onMouseDown={still}
      onFocus={still}
      onBlur={still}
    >
      <h2 id="conflict-title">{many ? "Which values shall stand?" : "Which value shall stand?"}</h2>
      <p className="sub" id="conflict-sub">
        {whose} changed {many ? "these fields" : `“${conflicts[0].label}”`} while you did. Decide later, and what you
        typed waits in its box.
      </p>
      <form onSubmit={settle}>
        <div className="body">
          {conflicts.map((c) => (
            <fieldset key={c.key}>
              <legend className="label">{c.label}</legend>
              {choices(c).map((one) => (
                <label key={one.id} className="reason">
                  <input
                    type="radio"
                    className="radio"
                    name={`conflict-${c.key}`}
                    checked={picked(c) === one.id}
                    onChange={() => setChosen({ ...chosen, [c.key]: one.id })}
                  />
                  <span className="one">
                    <span className="small muted">{one.name}</span>
                    <span className={one.text ? "text" : "text muted"}>{one.text || "Empty"}</span>
                  </span>
                </label>
              ))}
            </fieldset>
          ))}
        </div>
        <div className="foot">
          <button type="button" className="btn" onClick={later}>
            Decide later
          </button>
          <button type="submit" className="btn primary">
            Save choice
          </button>
        </div>
      </form>
    </dialog>
  );
}
