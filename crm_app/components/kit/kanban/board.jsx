// The board. Python owns the deals and the look of a card; this owns what the hand does: dragging, carrying by keys,
// selecting, the order shown before the server has answered, and the changes that arrive meanwhile.
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Column } from "./column.jsx";
import { cardElement, press } from "./drag.js";
import { useFeed } from "./feed.js";
import { useCardFocus, useMarks, useSame, useStageInView } from "./hooks.js";
import { createKeys } from "./keys.js";
import { CardMenu, SELECTION, menuItems, pickItem } from "./menu.jsx";
import { fill, findCard, inOrder, moveTo, viewOf } from "./model.js";
import { createMoves } from "./moves.js";
import { untell, useOutbox } from "./outbox.js";
import { Dock, SelectionBar, Skeleton, StageTabs } from "./parts.jsx";
import { createSelection } from "./selection.js";

const NOTHING = new Set();

// What a drag does to the board; every function reads the board as it is when it is called.
const dragHandlers = (hub) => ({
  onLift(id) {
    const ids = hub.moves.inHand(id);
    const why = hub.moves.hindrance(ids);
    if (why) return hub.moves.refuse(why);
    flushSync(() => {
      hub.send({ type: "lift" });
      hub.setLifted(ids);
      hub.setMenu(null);
    });
    return ids;
  },
  onOver: (place, height) => hub.setOver({ place, height }),
  onEnd(place) {
    const ids = [...hub.lifted];
    const move = place?.stage ? moveTo(hub.view, ids, place.stage, place.index) : null;
    hub.focusAfter(ids[0]);
    if (place?.dock) hub.moves.close(ids, place.dock);
    else if (move) hub.moves.speak("moved", move);
    else hub.moves.speakBack(ids);
    hub.moves.commit(move);
  },
  onGone: () => (hub.drag = null),
});

const pointerHandlers = (hub) => ({
  onPointerDown(event) {
    if (hub.keys.isCarrying()) return hub.keys.drop();
    hub.drag = press(hub.root.current, event, hub.dragging);
  },
  onClick(event) {
    const opener = event.target.closest("[data-menu]");
    if (opener) return hub.openMenu(opener.dataset.menu, opener.getBoundingClientRect());
    const modified = event.ctrlKey || event.metaKey || event.shiftKey;
    const card = event.target.closest("[data-deal]");
    if (card && modified && !event.target.closest("a")) {
      event.preventDefault();
      hub.pick.toggle(card.dataset.deal, event.shiftKey);
    }
  },
  onContextMenu(event) {
    const card = event.target.closest("[data-deal]");
    if (!card || event.target.closest("a") || hub.drag) return;
    event.preventDefault();
    const { clientX, clientY, button } = event;
    hub.openMenu(card.dataset.deal, button === 2 ? new DOMRect(clientX, clientY, 0, 0) : undefined);
  },
});

const columnTools = (hub) => ({
  startAdd: (stage) => hub.setAdding(stage),
  stopAdd(stage) {
    hub.setAdding(null);
    hub.root.current.querySelector(`[data-stage="${CSS.escape(stage)}"] header .icon-btn`)?.focus();
  },
  add: (op, stage, title, amount) =>
    hub.outbox.post({ op, kind: "add", ids: [], title, args: [stage, title, amount, op] }),
  // Pages follow the last card that the server confirmed in this stage, not one that was just dropped there.
  loadMore(stage) {
    const loaded = hub.state.columns.find((column) => column.id === stage)?.cards ?? [];
    return hub.props.onLoadMore?.(stage, loaded[loaded.length - 1]?.id ?? null);
  },
  clearSelection: () => hub.pick.clear(),
});

const openers = (hub) => ({
  open: (id) => cardElement(hub.root.current, id)?.querySelector("a[href]")?.click(),
  openMenu(id, anchor) {
    const ids = id === SELECTION ? inOrder(hub.view, hub.selection) : hub.moves.inHand(id);
    const rect = anchor ?? cardElement(hub.root.current, id)?.getBoundingClientRect();
    if (ids.length && rect) hub.setMenu({ id, ids, anchor: rect });
  },
});

// One object that the parts share: what is current is written on it at each render, what acts is made once.
function useHub(props, current) {
  const hub = useRef({}).current;
  Object.assign(hub, props, { props }, current);
  if (!hub.moves) {
    hub.moves = createMoves(hub);
    hub.keys = createKeys(hub);
    hub.pick = createSelection(hub);
    hub.dragging = dragHandlers(hub);
    hub.pointer = pointerHandlers(hub);
    hub.tools = columnTools(hub);
    Object.assign(hub, openers(hub));
  }
  return hub;
}

// A finger that holds a card must not scroll; iOS obeys only a listener that was there before the touch.
function useTouchHold(hub) {
  useEffect(() => {
    const root = hub.root.current;
    const hold = (event) => hub.drag?.copy && event.cancelable && event.preventDefault();
    root.addEventListener("touchmove", hold, { passive: false });
    return () => {
      root.removeEventListener("touchmove", hold);
      hub.drag?.end(false);
    };
  }, []);
}

function useBoard(props) {
  const root = useRef(null);
  const [said, setSaid] = useState("");
  const [lifted, setLiftedIds] = useState(NOTHING);
  const [over, setOver] = useState({ place: null, height: 0 });
  const [selection, setSelection] = useState(NOTHING);
  const [menu, setMenu] = useState(null);
  const [adding, setAdding] = useState(null);
  const [addResult, setAddResult] = useState(null);
  const handlers = { move: props.onMove, close: props.onClose, add: props.onAdd };
  const outbox = useOutbox(handlers, (job, reason) => hub.moves.lost(job, reason));
  const feed = useFeed(props, root, (op) => {
    const job = outbox.settled(op.op_id);
    if (op.outcome === "done") untell(op.op_id);
    if (!job || job.kind === "add") setAddResult(op);
    else if (op.outcome === "done") hub.pick.release(job.ids);
  });
  const { state } = feed;
  const view = useMemo(() => viewOf(state), [state.columns, state.pending, state.carry]);
  const setLifted = (ids) => {
    setLiftedIds(ids ? new Set(ids) : NOTHING);
    setOver({ place: null, height: 0 });
  };
  // The same sentence twice is still news: a space at the end makes it differ.
  const say = (text, values = {}) => setSaid((before) => (before === fill(text, values) ? `${before} ` : fill(text, values)));
  const hub = useHub(props, {
    root, outbox, ...feed, ...useCardFocus(root), view, lifted, over, selection, menu, adding, addResult, said,
    setLifted, setOver, setSelection, setMenu, setAdding, setAddResult, say,
  });
  useTouchHold(hub);
  return hub;
}

function Columns({ hub, card, api }) {
  const board = useRef(null);
  const [active, setActive] = useState(null);
  const { view, lifted, state, labels } = hub;
  const { place, height } = hub.over;
  const stages = useStageInView(board, view);
  const saving = state.pending.flatMap((move) => move.ids);
  const marks = useMarks(view, [["selected", hub.selection], ["lifted", lifted], ["carried", state.carry?.ids ?? []], ["saving", saving]]);
  // Over its own place a card leaves only its hole.
  const slot = place?.stage && moveTo(view, [...lifted], place.stage, place.index) ? place : null;
  return (
    <>
      <StageTabs columns={view} current={stages.current} label={labels.stages} onPick={stages.show} />
      <div
        className="board"
        data-board
        role="group"
        aria-label={fill(labels.board, { count: view.length })}
        ref={board}
        onScroll={stages.onScroll}
        onFocus={(event) => event.target.matches("[data-deal]") && setActive(event.target.dataset.deal)}
      >
        {view.map((column, index) => (
          <Column
            key={column.id}
            column={column}
            view={card}
            marks={marks[index]}
            active={active}
            target={place?.stage === column.id}
            slot={slot?.stage === column.id ? slot.index : -1}
            height={slot?.stage === column.id ? height : 0}
            adding={hub.adding === column.id}
            addResult={hub.adding === column.id ? hub.addResult : null}
            api={api}
          />
        ))}
      </div>
    </>
  );
}

function OpenMenu({ hub }) {
  const { menu, labels, view } = hub;
  const many = { count: menu.ids.length };
  const title = findCard(view, menu.ids[0])?.card.t ?? "";
  return (
    <CardMenu
      key={menu.id}
      label={menu.ids.length > 1 ? fill(labels.selected_count, many) : fill(labels.menu_for, { title })}
      items={menuItems(hub, menu)}
      anchor={menu.anchor}
      onPick={(key) => {
        hub.setMenu(null);
        pickItem(hub, menu, key);
      }}
      onClose={(giveBack) => {
        if (giveBack && menu.id === SELECTION) hub.root.current.querySelector(`[data-menu="${SELECTION}"]`)?.focus();
        else if (giveBack) hub.focusAfter(menu.id);
        hub.setMenu(null);
      }}
    />
  );
}

export function Kanban(props) {
  const hub = useBoard(props);
  const helpId = useId();
  const { locked, ends, canAdd, children } = props;
  const labels = useSame(props.labels);
  const icons = useSame(props.icons);
  const { view, lifted, selection } = hub;
  const api = useMemo(() => ({ labels, icons, canAdd, helpId, ...hub.tools }), [labels, icons, canAdd, helpId]);
  const empty = hub.state.columns && !hub.adding && view.every((column) => !column.count && !column.cards.length);
  const dragging = lifted.size > 0;
  return (
    <div
      className={["kanban", dragging && "dragging", empty && "is-empty"].filter(Boolean).join(" ")}
      ref={hub.root}
      onKeyDown={hub.keys.onKeyDown}
      {...hub.pointer}
    >
      <p className="sr" id={helpId}>
        {locked || labels.help}
      </p>
      <p className="sr" role="status" aria-live="polite" data-spoken="">
        {hub.said}
      </p>
      {hub.state.columns ? <Columns hub={hub} card={props.card} api={api} /> : <Skeleton label={labels.loading} />}
      {empty && <div className="empty-board">{children}</div>}
      {dragging && ends.length > 0 && <Dock ends={ends} over={hub.over.place?.dock} api={api} />}
      {selection.size > 0 && !dragging && <SelectionBar count={selection.size} api={api} />}
      {hub.menu && <OpenMenu hub={hub} />}
    </div>
  );
}
