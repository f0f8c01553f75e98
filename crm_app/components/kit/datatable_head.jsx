import { useEffect, useRef } from "react";

const LEAST = 60;
const MOST = 900;
const STEP = 16;

const Icon = ({ d }) => (
  <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
    <path d={d} />
  </svg>
);

/* The heads of the columns: a press sorts, the edge is drawn (or moved by arrow keys) to the width one likes. */
export function Head({
  columns, sort, descending, onSort, icons, words, widths, setWidths, onWidth, canPick, pickLoaded, whole, some,
}) {
  const box = useRef(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = some && !whole;
  }, [some, whole]);
  return (
    <tr aria-rowindex={1}>
      {canPick && (
        <th className="pick" scope="col">
          <label>
            <input ref={box} type="checkbox" className="check" checked={whole} onChange={pickLoaded} aria-label={words.pickAll} />
          </label>
        </th>
      )}
      {columns.map((c) => {
        const direction = sort === c.name ? (descending ? "descending" : "ascending") : "none";
        const arrow = sort === c.name && <Icon d={descending ? icons.down : icons.up} />;
        return (
          <th
            key={c.name}
            scope="col"
            className={[c.number && "r", c.hide && "hide-s"].filter(Boolean).join(" ")}
            aria-sort={c.sortable ? direction : undefined}
          >
            {c.sortable ? (
              <button type="button" className="clip" onClick={() => onSort?.(c.name)}>
                {c.label} {arrow}
              </button>
            ) : (
              <span className="clip">{c.label}</span>
            )}
            <Edge column={c} width={widths[c.name] ?? c.width} setWidths={setWidths} onWidth={onWidth} words={words} />
          </th>
        );
      })}
    </tr>
  );
}

function Edge({ column, width, setWidths, onWidth, words }) {
  const now = useRef(width);
  now.current = width;
  const set = (next, isEnd) => {
    const px = Math.round(Math.max(LEAST, Math.min(MOST, next)));
    now.current = px;
    setWidths((was) => ({ ...was, [column.name]: px }));
    if (isEnd) onWidth?.(column.name, px);
  };
  const down = (e) => {
    if (e.button) return;
    e.preventDefault();
    const handle = e.currentTarget;
    const start = e.clientX;
    const from = handle.closest("th").getBoundingClientRect().width;
    handle.setPointerCapture(e.pointerId);
    const move = (m) => set(from + m.clientX - start, false);
    const up = () => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", up);
      handle.removeEventListener("pointercancel", up);
      set(now.current, true);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", up);
    handle.addEventListener("pointercancel", up);
  };
  const keys = (e) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[e.key];
    if (!by) return;
    e.preventDefault();
    set(now.current + by, true);
  };
  return (
    <span
      className="edge"
      role="separator"
      aria-orientation="vertical"
      aria-label={`${words.width} ${column.label}`}
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={down}
      onKeyDown={keys}
    />
  );
}
