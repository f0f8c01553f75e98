import { memo } from "react";
import { Link } from "react-router";
import { InPlace } from "./inplace.jsx";

const NOTHING = { t: "" };
const INSIDE = "a, button, input, label, textarea, .editing, .combo";
const SEARCHED = ["link", "tags"];

const Icon = ({ d, className = "i i16" }) => (
  <svg className={className} viewBox="0 0 16 16" aria-hidden="true">
    <path d={d} />
  </svg>
);

/* One record. A press opens it beside the list; with Ctrl, or the middle button, it opens in a page of its own. */
export const Row = memo(
  function Row({
    row, index, tail, columns, canPick, icons, words, statuses, options, onSearch, onSave, focusCol, isPicked, isOpen,
    editing, on,
  }) {
    if (!row) {
      return (
        <tr data-row={index} aria-rowindex={index + 2} className="waits">
          <td colSpan={canPick ? 3 : 2}>
            <span className="sk" style={{ width: `${34 + ((index * 7) % 30)}%` }} />
            <span className="sr">{words.loading}</span>
          </td>
        </tr>
      );
    }
    const cellOf = (name) => row.cells[name] ?? NOTHING; // columns and rows may come one after the other
    const name = cellOf(columns[0].name).t;
    const away = (e) => e.ctrlKey || e.metaKey || e.button === 1;
    const press = (e) => {
      if (e.target.closest(INSIDE) || window.getSelection()?.toString()) return;
      if (away(e)) return void (row.href && window.open(row.href + tail, "_blank", "noopener"));
      on.open(row);
    };
    return (
      <tr
        data-row={index}
        data-id={row.id}
        aria-rowindex={index + 2}
        aria-selected={canPick ? isPicked : undefined}
        className={isOpen ? "open" : ""}
        onClick={press}
        onAuxClick={(e) => e.button === 1 && press(e)}
        onMouseDown={(e) => e.button === 1 && row.href && !e.target.closest("a") && e.preventDefault()}
      >
        {canPick && (
          <td className="pick">
            <label>
              <input
                type="checkbox"
                className="check"
                checked={isPicked}
                tabIndex={-1}
                onChange={(e) => on.toggle(index, e.nativeEvent.shiftKey)}
                aria-label={`${words.pick} ${name}`}
              />
            </label>
          </td>
        )}
        {columns.map((c, n) => (
          <td
            key={c.name}
            data-col={n}
            data-field={c.name}
            tabIndex={focusCol === n || (focusCol < 0 && index === 0 && n === 0) ? 0 : -1}
            className={[c.number && "r", c.hide && "hide-s", n === 0 && "name"].filter(Boolean).join(" ")}
            onFocus={(e) => e.target === e.currentTarget && on.focus(index, n)}
          >
            {editing === c.name ? (
              <div className="cell-edit">
                <InPlace
                  name={`${row.id}.${c.name}`}
                  label={c.label}
                  kind={c.box}
                  value={cellOf(c.name).v ?? cellOf(c.name).t}
                  display={cellOf(c.name).t}
                  status={statuses}
                  options={SEARCHED.includes(c.box) ? (options?.[`${row.id}.${c.name}`] ?? []) : c.options}
                  onSave={onSave}
                  onSearch={SEARCHED.includes(c.box) ? onSearch : undefined}
                  atOnce
                  onRest={on.finish}
                />
              </div>
            ) : (
              <Cell cell={cellOf(c.name)} column={c} row={row} tail={tail} first={n === 0} onOpen={on.open} away={away} />
            )}
            {c.edit && n > 0 && editing !== c.name && !cellOf(c.name).locked && (
              <button
                type="button"
                className="pen-btn"
                tabIndex={-1}
                aria-label={`${words.edit} ${c.label}, ${name}`}
                onClick={() => on.begin(index, c.name)}
              >
                <Icon d={icons.edit} />
              </button>
            )}
          </td>
        ))}
      </tr>
    );
  },
  (a, b) =>
    a.row === b.row && a.index === b.index && a.tail === b.tail && a.columns === b.columns && a.focusCol === b.focusCol &&
    a.isPicked === b.isPicked && a.isOpen === b.isOpen && a.editing === b.editing && a.canPick === b.canPick &&
    (!a.editing || (a.statuses === b.statuses && a.options === b.options)),
);

function Cell({ cell, column, row, tail, first, onOpen, away }) {
  const mark = cell.m && (
    <span className={`av t${cell.c} ${column.square ? "sq" : ""}`} aria-hidden="true">
      {cell.m}
    </span>
  );
  const text = <span className="clip">{cell.t}</span>;
  if (first) {
    const press = (e) => {
      if (away(e) || e.shiftKey) return;
      e.preventDefault();
      onOpen(row);
    };
    return row.href ? (
      <Link to={row.href + tail} className="line" tabIndex={-1} onClick={press}>
        {mark}
        <span className={cell.t ? "clip" : "clip none"}>{cell.t || "–"}</span>
      </Link>
    ) : (
      <span className="line">
        {mark}
        <span className="clip">{cell.t || "–"}</span>
      </span>
    );
  }
  if (cell.h) {
    return (
      <span className="line">
        {mark}
        <Link to={cell.h} className="quiet-link clip" tabIndex={-1}>
          {cell.t}
        </Link>
      </span>
    );
  }
  if (cell.tags) {
    return (
      <span className="line tight">
        {cell.tags.map((tag, i) => (
          <span key={tag} className={cell.tints?.[i] ? `badge t${cell.tints[i]}` : "badge"}>
            {tag}
          </span>
        ))}
      </span>
    );
  }
  return mark ? (
    <span className="line">
      {mark}
      {text}
    </span>
  ) : (
    text
  );
}
