// The board as data, without React: what the server confirmed, what the user did since, and the sum of both on screen.

export const START = { columns: null, base: null, seq: 0, pending: [], carry: null, busy: false, held: [] };

// A column of a snapshot, each card with the parts that the column says once for all of them.
export const unfold = ({ usual, people, ...column }) => ({
  ...column,
  cards: column.cards.map(({ by, ...card }) => {
    const [o, on, ot] = people?.[by] ?? [];
    return { ...usual, s: column.id, ...(o && { o, on, ot }), ...card };
  }),
});

export const findCard = (columns, id) => {
  for (const column of columns) {
    const index = column.cards.findIndex((card) => card.id === id);
    if (index >= 0) return { column, index, card: column.cards[index] };
  }
  return null;
};

const without = (column, ids) =>
  column.cards.some((card) => ids.has(card.id)) ? column.cards.filter((card) => !ids.has(card.id)) : column.cards;

const withCards = (column, cards) => (cards === column.cards ? column : { ...column, cards });

const insert = (cards, at, added) => [...cards.slice(0, at), ...added, ...cards.slice(at)];

// The order of a stage: by key, then by id, as the server sorts.
const isBelow = (other, card) => other.k > card.k || (other.k === card.k && other.id > card.id);

// Puts a card where the server says it is. An older version than the one on screen is a late message and changes
// nothing. Below the last loaded card there may be others: there it leaves the window and comes with its page.
const put = (columns, card) => {
  const known = findCard(columns, card.id)?.card;
  if (known && card.v < known.v) return columns;
  const ids = new Set([card.id]);
  return columns.map((column) => {
    const rest = without(column, ids);
    if (column.id !== card.s) return withCards(column, rest);
    const below = rest.findIndex((other) => isBelow(other, card));
    if (below < 0 && column.more) return withCards(column, rest);
    return { ...column, cards: insert(rest, below < 0 ? rest.length : below, [known?.w ? { w: known.w, ...card } : card]) };
  });
};

const drop = (columns, ids) => columns.map((column) => withCards(column, without(column, ids)));

const settle = (columns, op) => {
  const kept = op.gone?.length ? drop(columns, new Set(op.gone)) : columns;
  return (op.cards ?? []).reduce(put, kept);
};

const addPage = (column, op) => {
  const known = new Set(column.cards.map((card) => card.id));
  return { ...column, more: op.more, cards: [...column.cards, ...op.cards.filter((card) => !known.has(card.id))] };
};

const setViewers = (columns, who) =>
  columns.map((column) =>
    column.cards.some((card) => card.id in who)
      ? { ...column, cards: column.cards.map((card) => (card.id in who ? { ...card, w: who[card.id] } : card)) }
      : column,
  );

export const applyOp = (columns, op) => {
  switch (op.op) {
    case "put":
      return put(columns, op.card);
    case "del":
      return drop(columns, new Set([op.id]));
    case "page":
      return columns.map((column) => (column.id === op.stage ? addPage(column, op) : column));
    case "totals":
      return columns.map((column) => (op.stages[column.id] ? { ...column, ...op.stages[column.id] } : column));
    case "presence":
      return setViewers(columns, op.who);
    case "settle":
      return settle(columns, op);
    default:
      return columns;
  }
};

// A move of the user that the server has not confirmed. Cards that are gone meanwhile are skipped; when the neighbour
// is gone the place in the list counts.
export const place = (columns, move) => {
  const ids = new Set(move.ids);
  const cards = move.ids.map((id) => findCard(columns, id)?.card).filter(Boolean);
  if (!cards.length || !columns.some((column) => column.id === move.to)) return columns;
  return columns.map((column) => {
    const rest = without(column, ids);
    if (column.id !== move.to) return withCards(column, rest);
    const below = move.after == null ? 0 : rest.findIndex((card) => card.id === move.after) + 1;
    const at = below === 0 && move.after != null ? Math.min(move.index, rest.length) : below;
    return { ...column, cards: insert(rest, at, cards) };
  });
};

export const viewOf = ({ columns, pending, carry }) => {
  const moves = carry ? [...pending, carry] : pending;
  return moves.reduce(place, columns ?? []);
};

const applyOps = (state, ops) => {
  const fresh = ops.filter((op) => op.seq > state.seq);
  if (!fresh.length || !state.columns) return state;
  let pending = state.pending;
  for (const op of fresh) {
    if (op.op !== "settle") continue;
    pending =
      op.outcome === "ask"
        ? pending.map((move) => (move.op === op.op_id ? { ...move, status: "asking" } : move))
        : pending.filter((move) => move.op !== op.op_id);
  }
  return { ...state, seq: fresh[fresh.length - 1].seq, pending, columns: fresh.reduce(applyOp, state.columns) };
};

// Replays are harmless: every op carries a growing number and what was seen is skipped. While a card is in the hand
// (`busy`) nothing on the board may shift, so whatever the server sends waits in `held`.
export const reduce = (state, action) => {
  switch (action.type) {
    case "snapshot":
      if (state.busy) return { ...state, held: [...state.held, action] };
      // A question still open belongs to the page that was lost; its card lies where the server says.
      return {
        ...state,
        columns: action.columns.map(unfold),
        base: action.base,
        seq: action.base,
        pending: state.pending.filter((move) => move.status !== "asking"),
      };
    case "ops":
      return state.busy ? { ...state, held: [...state.held, action] } : applyOps(state, action.ops);
    case "lift":
      return { ...state, busy: true };
    case "carry":
      return { ...state, carry: action.move };
    case "release": {
      const pending = action.move ? [...state.pending, { ...action.move, status: "saving" }] : state.pending;
      return state.held.reduce(reduce, { ...state, busy: false, carry: null, held: [], pending });
    }
    case "forget":
      return { ...state, pending: state.pending.filter((move) => move.op !== action.op) };
    default:
      return state;
  }
};

// True when numbers are missing between what was seen and what arrived: a frozen tab, or a burst longer than the ring.
export const hasHole = (seq, ops) => {
  const next = ops.find((op) => op.seq > seq);
  return next !== undefined && next.seq > seq + 1;
};

const sameOrder = (view, move) => {
  const after = place(view, move);
  return view.every((column, i) => column.cards.every((card, j) => after[i].cards[j]?.id === card.id));
};

// The move that lays `ids` at `index` of a stage, counted without them; null when nothing would change.
export const moveTo = (view, ids, to, index) => {
  const target = view.find((column) => column.id === to);
  if (!target) return null;
  const taken = new Set(ids);
  const rest = target.cards.filter((card) => !taken.has(card.id));
  const at = Math.max(0, Math.min(index, rest.length));
  const move = { ids, to, index: at, after: at ? rest[at - 1].id : null };
  return sameOrder(view, move) ? null : move;
};

const indexWithout = (column, index, ids) =>
  column.cards.slice(0, index).filter((card) => !ids.includes(card.id)).length;

// One step of a card carried by the arrow keys; null at an edge.
export const stepTo = (view, ids, key) => {
  const found = findCard(view, ids[0]);
  if (!found) return null;
  const index = indexWithout(found.column, found.index, ids);
  if (key === "ArrowUp") return index > 0 ? moveTo(view, ids, found.column.id, index - 1) : null;
  if (key === "ArrowDown") return moveTo(view, ids, found.column.id, index + 1);
  const next = view[view.indexOf(found.column) + (key === "ArrowRight" ? 1 : -1)];
  return next ? moveTo(view, ids, next.id, index) : null;
};

// The card that an arrow key leads to from `id`; empty columns are passed over.
export const neighbour = (view, id, key) => {
  const found = findCard(view, id);
  if (!found) return null;
  const { column, index } = found;
  if (key === "ArrowUp") return column.cards[index - 1]?.id ?? null;
  if (key === "ArrowDown") return column.cards[index + 1]?.id ?? null;
  if (key === "Home") return column.cards[0].id;
  if (key === "End") return column.cards[column.cards.length - 1].id;
  const step = key === "ArrowRight" ? 1 : -1;
  for (let at = view.indexOf(column) + step; view[at]; at += step) {
    const { cards } = view[at];
    if (cards.length) return cards[Math.min(index, cards.length - 1)].id;
  }
  return null;
};

// Everything between two cards of one column, both included; only `to` when they lie in different ones.
export const rangeBetween = (view, from, to) => {
  const a = findCard(view, from);
  const b = findCard(view, to);
  if (!a || !b || a.column !== b.column) return b ? [to] : [];
  const [first, last] = a.index < b.index ? [a.index, b.index] : [b.index, a.index];
  return a.column.cards.slice(first, last + 1).map((card) => card.id);
};

// Selected cards in the order of the board, so that a moved group keeps it.
export const inOrder = (view, ids) =>
  view.flatMap((column) => column.cards.filter((card) => ids.has(card.id)).map((card) => card.id));

// What the user saw of each card: its version and its stage, as the server last told them.
export const seenOf = (columns, ids) => {
  const found = ids.map((id) => findCard(columns, id)).filter(Boolean);
  return Object.fromEntries(found.map(({ card, column }) => [card.id, { v: card.v, s: column.id }]));
};

// The class that gives a stage its colour.
export const toneOf = (column) => (column.kind === "open" ? `s${column.color}` : column.kind);

export const positionOf = (view, id) => {
  const found = findCard(view, id);
  if (!found) return null;
  const { column, index, card } = found;
  return { title: card.t, stage: column.name, position: index + 1, total: Math.max(column.count, column.cards.length) };
};

// "{title}, moved to {stage}" with its values; an unknown name stays visible, so that a wrong label is noticed.
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
