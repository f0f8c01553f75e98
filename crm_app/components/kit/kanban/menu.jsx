// The menu of a card or of the selection: every move that the hand can make, without dragging.
import { useEffect, useRef } from "react";
import { fill, findCard, moveTo, neighbour, stepTo, toneOf } from "./model.js";
import { Icon } from "./parts.jsx";

// Names the menu of all selected cards, where a card's menu has its id.
export const SELECTION = "selection";

const ITEMS = '[role="menuitem"]';

const placeBeside = (panel, anchor) => {
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = anchor.bottom + 4;
  const top = below + height > window.innerHeight - 8 ? Math.max(8, anchor.top - height - 4) : below;
  panel.style.top = `${top}px`;
  panel.style.left = `${Math.max(8, Math.min(anchor.left, window.innerWidth - width - 8))}px`;
};

// `items`: {key, label, icon?, color?, off?: why it cannot be used, rule?: line above}. The caller opens it by
// rendering it, with the rectangle it belongs to; on a phone the style sheet lays it at the bottom.
export function CardMenu({ label, items, anchor, onPick, onClose }) {
  const panel = useRef(null);
  const all = () => [...panel.current.querySelectorAll(ITEMS)];
  useEffect(() => {
    const box = panel.current;
    box.showPopover();
    placeBeside(box, anchor);
    all()[0]?.focus();
    const away = (event) => !box.contains(event.target) && onClose(false);
    document.addEventListener("pointerdown", away, true);
    return () => document.removeEventListener("pointerdown", away, true);
  }, []);
  const keys = (event) => {
    event.stopPropagation();
    const list = all();
    const now = list.indexOf(document.activeElement);
    const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: list.length - 1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      list[(next + list.length) % list.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose(true);
    } else if (event.key.length === 1 && event.key !== " ") {
      const starts = (item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase());
      [...list.slice(now + 1), ...list.slice(0, now + 1)].find(starts)?.focus();
    }
  };
  return (
    <div className="menu card-menu" popover="manual" role="menu" aria-label={label} ref={panel} onKeyDown={keys}>
      {items.map(({ key, label: text, icon, color, off, rule }) => (
        <button
          key={key}
          type="button"
          role="menuitem"
          className={["menu-item", rule && "ruled", color && `stage ${color}`].filter(Boolean).join(" ")}
          aria-disabled={off ? true : undefined}
          title={off || undefined}
          onClick={() => !off && onPick(key)}
        >
          {icon && <Icon path={icon} />}
          {text}
        </button>
      ))}
    </div>
  );
}

const stageItems = ({ view, labels }, ids, off) =>
  view.filter((column) => column.kind === "open").map((column, index) => ({
    key: `stage:${column.id}`,
    label: fill(labels.move_to_stage, { stage: column.name }),
    color: toneOf(column),
    rule: index === 0,
    off: ids.every((id) => findCard(view, id)?.column === column) ? labels.is_here : off,
  }));

const endItems = ({ ends, labels, icons }, off) =>
  ends.map((end, index) => ({ key: `end:${end}`, label: labels[`to_${end}`], icon: icons[`${end}_16`], rule: index === 0, off }));

const cardItems = ({ view, labels, icons, selection }, id, ids, off) => {
  const blocked = (key, edge) => off || (stepTo(view, ids, key) ? "" : edge);
  return [
    { key: "open", label: labels.open, icon: icons.open },
    { key: "select", label: selection.has(id) ? labels.unselect : labels.select, icon: icons.check },
    { key: "up", label: labels.move_up, icon: icons.up, rule: true, off: blocked("ArrowUp", labels.is_first) },
    { key: "down", label: labels.move_down, icon: icons.down, off: blocked("ArrowDown", labels.is_last) },
  ];
};

export const menuItems = (hub, { id, ids }) => {
  const off = hub.moves.hindrance(ids);
  const own = id === SELECTION ? [] : cardItems(hub, id, ids, off);
  return [...own, ...stageItems(hub, ids, off), ...endItems(hub, off)];
};

// On a phone only one stage is in view: it stays, and the next card of it gets the focus.
const focusAfterMove = ({ view, focusAfter }, id) => {
  const phone = window.matchMedia("(max-width: 600px)").matches;
  focusAfter((phone && (neighbour(view, id, "ArrowDown") ?? neighbour(view, id, "ArrowUp"))) || id);
};

export const pickItem = (hub, { id, ids }, key) => {
  const [kind, value] = key.split(/:(.*)/s);
  if (id !== SELECTION && kind === "stage") focusAfterMove(hub, id);
  else if (id !== SELECTION) hub.focusAfter(id);
  if (kind === "open") return hub.open(id);
  if (kind === "select") return hub.pick.toggle(id);
  if (kind === "end") return hub.moves.close(ids, value);
  const move =
    kind === "stage"
      ? moveTo(hub.view, ids, value, 0)
      : stepTo(hub.view, ids, kind === "up" ? "ArrowUp" : "ArrowDown");
  if (!move) return;
  hub.remember(ids);
  hub.moves.speak("moved", move);
  hub.moves.commit(move);
};
