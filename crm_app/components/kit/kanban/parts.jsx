// Small parts of the board: icon, stage tabs of the phone, dock, bar of the selection, skeleton.
import { useEffect, useRef } from "react";
import { fill, toneOf } from "./model.js";

export const Icon = ({ path, size = 16 }) => (
  <svg className={size === 16 ? "i i16" : "i"} viewBox={`0 0 ${size} ${size}`} aria-hidden="true">
    <path d={path} />
  </svg>
);

export function StageTabs({ columns, current, label, onPick }) {
  const row = useRef(null);
  useEffect(() => {
    const tab = row.current?.querySelector("[aria-current]");
    if (tab) row.current.scrollTo({ left: tab.offsetLeft - 16 });
  }, [current]);
  return (
    <div className="stage-tabs" role="group" aria-label={label} ref={row}>
      {columns.map((column) => (
        <button
          key={column.id}
          type="button"
          className={`stage ${toneOf(column)}`}
          aria-current={column.id === current ? "true" : undefined}
          onClick={() => onPick(column.id)}
        >
          {column.name}
          <span className="pill">{column.count}</span>
        </button>
      ))}
    </div>
  );
}



export const Dock = ({ ends, over, api }) => (
  <div className="dock" role="group" aria-label={api.labels.dock}>
    {ends.map((end) => (
      <div key={end} data-dock={end} className={`drop ${end}${over === end ? " over" : ""}`}>
        <Icon path={api.icons[end]} size={20} />
        {api.labels[`to_${end}`]}
      </div>
    ))}
  </div>
);

export const SelectionBar = ({ count, api }) => (
  <div className="bulk" role="toolbar" aria-label={fill(api.labels.selected_count, { count })}>
    <span className="strong num">{fill(api.labels.selected_count, { count })}</span>
    <hr />
    <button type="button" className="btn sm ghost" aria-haspopup="menu" data-menu="selection">
      {api.labels.move_to}
    </button>
    <button type="button" className="icon-btn" aria-label={api.labels.clear_selection} onClick={api.clearSelection}>
      <Icon path={api.icons.dismiss} />
    </button>
  </div>
);

const SKELETON = [4, 3, 3, 2, 1];

const bar = (width, height = 10) => <span className="sk" style={{ width, height }} />;

export const Skeleton = ({ label }) => (
  <div className="board waiting" role="status" aria-busy="true" aria-label={label}>
    {SKELETON.map((cards, column) => (
      <div className="col" key={column}>
        <header>
          {bar(96, 12)}
          <div className="line">
            {bar(56, 8)}
            <span className="push">{bar(72, 8)}</span>
          </div>
        </header>
        <div className="cards">
          {Array.from({ length: cards }, (_, card) => (
            <div className="deal" key={card}>
              {bar(`${70 - 9 * ((card + column) % 3)}%`)}
              {bar("45%", 8)}
              <div className="line">
                {bar(64)}
                <span className="push">{bar(36, 8)}</span>
              </div>
              {bar(92, 20)}
            </div>
          ))}
        </div>
      </div>
    ))}
  </div>
);
