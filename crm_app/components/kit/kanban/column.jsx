// One stage: head with figures, the cards, the place where a dragged card would land, and the quick-add form.
import { createElement, memo, useEffect, useRef, useState } from "react";
import { fill, toneOf } from "./model.js";
import { Icon } from "./parts.jsx";
import { QuickAdd } from "./quick_add.jsx";

const MARKS = ["lifted", "selected", "carried"];

// `marks` is text ("saving selected"), so that memo compares it by value.
const Card = memo(function Card({ card, view, marks, reachable, api }) {
  const { labels } = api;
  const selected = marks.includes("selected");
  const saving = marks.includes("saving");
  return (
    <li
      data-deal={card.id}
      className={["deal", ...MARKS.filter((mark) => marks.includes(mark)), saving && "saving"].filter(Boolean).join(" ")}
      tabIndex={reachable ? 0 : -1}
      aria-label={[selected && labels.selected, card.t, card.a, card.m, saving && labels.saving].filter(Boolean).join(", ")}
      aria-describedby={api.helpId}
      aria-busy={saving || undefined}
      draggable={false}
      onDragStart={(event) => event.preventDefault()}
    >
      {createElement(view, { deal: card })}
      <button
        type="button"
        className="icon-btn more-btn"
        aria-label={fill(labels.menu_for, { title: card.t })}
        aria-haspopup="menu"
        tabIndex={reachable ? 0 : -1}
        data-menu={card.id}
      >
        <Icon path={api.icons.more} />
      </button>
    </li>
  );
});

// The end of the loaded cards: asks for the next page when it comes near, and is a button for when that failed.
function MoreCards({ stage, last, api }) {
  const end = useRef(null);
  const [failed, setFailed] = useState(false);
  const ask = () => setFailed(api.loadMore(stage) === undefined);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && ask(), {
      rootMargin: "400px 0px",
      scrollMargin: "400px 0px",
    });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [stage, last]);
  return (
    <li className="more-cards" ref={end}>
      {failed ? (
        <button type="button" className="btn sm ghost full" onClick={ask}>
          {api.labels.load_more}
        </button>
      ) : (
        <span className="sk" role="presentation" />
      )}
    </li>
  );
}

const Mix = ({ mix, label }) => (
  <div className="mix" role={label ? "img" : undefined} aria-label={label || undefined}>
    {[["g", mix.good], ["k", mix.risk], ["o", mix.overdue]].map(
      ([name, amount]) => amount > 0 && <i key={name} className={name} style={{ "--w": amount }} />,
    )}
  </div>
);

export const Column = memo(function Column({ column, view, slot, height, target, marks, active, adding, addResult, api }) {
  const { labels } = api;
  const { cards } = column;
  const reachable = cards.some((card) => card.id === active) ? active : cards[0]?.id;
  let shown = -1;
  const items = [];
  const slotItem = <li key="slot" className={`slot ${toneOf(column)}`} style={{ height }} aria-hidden="true" />;
  for (const card of cards) {
    const mark = marks.get(card.id) ?? "";
    // A card in the hand keeps its hole but has no place in the count.
    if (!mark.includes("lifted") && ++shown === slot) items.push(slotItem);
    items.push(<Card key={card.id} card={card} view={view} marks={mark} reachable={card.id === reachable} api={api} />);
  }
  if (slot > shown) items.push(slotItem);
  return (
    <section
      className={`col ${toneOf(column)}${target ? " target" : ""}`}
      data-stage={column.id}
      aria-label={fill(labels.column, { stage: column.name, count: column.count })}
    >
      <header>
        <div className="line">
          <h2 className="stage">{column.name}</h2>
          <span className="pill">{column.count}</span>
          {api.canAdd && column.kind === "open" && (
            <button
              type="button"
              className="icon-btn push"
              aria-label={fill(labels.add_to, { stage: column.name })}
              onClick={() => api.startAdd(column.id)}
            >
              <Icon path={api.icons.add} />
            </button>
          )}
        </div>
        <div className="sum">
          <b>{column.sum}</b>
          <span title={column.sum_title}>{column.weighted}</span>
        </div>
        <Mix mix={column.mix ?? {}} label={column.mix_label} />
      </header>
      {adding && <QuickAdd stage={column.id} name={column.name} result={addResult} api={api} />}
      <ul className="cards" role="list" aria-label={fill(labels.cards, { stage: column.name })}>
        {items}
        {!cards.length && slot < 0 && !column.more && !adding && <li className="none">{labels.empty_column}</li>}
        {column.more && <MoreCards stage={column.id} last={cards[cards.length - 1]?.id} api={api} />}
      </ul>
    </section>
  );
});
