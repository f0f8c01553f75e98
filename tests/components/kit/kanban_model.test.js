import { describe, expect, test } from "bun:test";
import {
  START, fill, hasHole, inOrder, moveTo, neighbour, positionOf, rangeBetween, reduce, seenOf, stepTo, viewOf,
} from "../../../crm_app/components/kit/kanban/model.js";

// The key of a card is its id unless it is told: "4" lies between "3" and "5".
const card = (id, stage, more = {}) => ({ id, v: 1, s: stage, k: Number(id), t: `Deal ${id}`, ...more });
const column = (id, ids, more = {}) => ({
  id, name: id.toUpperCase(), count: ids.length, more: false, cards: ids.map((each) => card(each, id)), ...more,
});
const board = (...columns) => reduce(START, { type: "snapshot", columns, base: 10 });
const ops = (state, ...list) => reduce(state, { type: "ops", ops: list.map((op, i) => ({ seq: state.seq + 1 + i, ...op })) });
const shown = (state) => Object.fromEntries(viewOf(state).map((each) => [each.id, each.cards.map((one) => one.id).join("")]));
const two = () => board(column("a", ["1", "2", "3"]), column("b", ["4", "5"]));
const drop = (state, ids, to, index) =>
  reduce(state, { type: "release", move: { ...moveTo(viewOf(state), ids, to, index), op: "op-1" } });

describe("what the server sends", () => {
  test("a card of a snapshot has what its column says for all, and says itself what is different", () => {
    const state = board({
      id: "a", name: "A", usual: { p: "10 %", n: "No next step", nk: "none", nt: "risk" }, people: [["BB", "Bob", 2]],
      cards: [{ id: "1", v: 1, k: 1, t: "Deal 1", by: 0 }, { id: "2", v: 1, k: 2, t: "Deal 2", by: 0, p: "30 %", nt: "" }],
    });
    const whole = { v: 1, s: "a", n: "No next step", nk: "none", o: "BB", on: "Bob", ot: 2 };
    expect(state.columns).toEqual([{
      id: "a", name: "A",
      cards: [
        { ...whole, id: "1", k: 1, t: "Deal 1", p: "10 %", nt: "risk" },
        { ...whole, id: "2", k: 2, t: "Deal 2", p: "30 %", nt: "" },
      ],
    }]);
  });

  test("a card goes where its key belongs; equal keys are ordered by id", () => {
    const state = ops(two(), { op: "put", card: card("1", "b", { k: 4.5 }) }, { op: "put", card: card("5", "a", { k: 2 }) });
    expect(shown(state)).toEqual({ a: "253", b: "41" });
  });

  test("the same op twice, and ops seen before, change nothing", () => {
    const put = { op: "put", card: card("4", "a", { k: 0 }), seq: 11 };
    const once = reduce(two(), { type: "ops", ops: [put] });
    expect(reduce(once, { type: "ops", ops: [put] })).toBe(once);
    expect(shown(reduce(once, { type: "ops", ops: [{ ...put, seq: 12 }] }))).toEqual({ a: "4123", b: "5" });
  });

  test("a card below the loaded ones leaves the window; in a column that is loaded whole it comes last", () => {
    const state = board(column("a", ["1"]), column("b", ["4"], { more: true }), column("c", ["7"]));
    expect(shown(ops(state, { op: "put", card: card("1", "b", { k: 99 }) }))).toEqual({ a: "", b: "4", c: "7" });
    expect(shown(ops(state, { op: "put", card: card("1", "c", { k: 99 }) }))).toEqual({ a: "", b: "4", c: "71" });
  });

  test("a late message with an older version does not move a card back", () => {
    const state = ops(two(), { op: "put", card: card("1", "b", { v: 3 }) });
    expect(shown(ops(state, { op: "put", card: card("1", "a", { v: 2 }) }))).toEqual(shown(state));
  });

  test("a page adds only cards that are not there", () => {
    const state = ops(board(column("a", ["1", "2"], { more: true })), {
      op: "page", stage: "a", cards: [card("2", "a"), card("3", "a")], more: false,
    });
    expect(shown(state)).toEqual({ a: "123" });
    expect(state.columns[0].more).toBe(false);
  });

  test("figures and viewers reach their column and card alone", () => {
    const before = two();
    const state = ops(before, { op: "totals", stages: { b: { count: 9, sum: "€ 9 k" } } }, { op: "presence", who: { 4: [{ i: "JO" }] } });
    expect(state.columns[1]).toMatchObject({ count: 9, sum: "€ 9 k" });
    expect(state.columns[1].cards[0].w).toEqual([{ i: "JO" }]);
    expect(state.columns[0]).toBe(before.columns[0]);
  });

  test("a hole in the numbers is noticed, a ring that overlaps is not", () => {
    expect(hasHole(10, [{ seq: 9 }, { seq: 10 }, { seq: 11 }])).toBe(false);
    expect(hasHole(10, [{ seq: 12 }])).toBe(true);
    expect(hasHole(10, [{ seq: 10 }, { seq: 12 }])).toBe(true);
    expect(hasHole(10, [{ seq: 8 }])).toBe(false);
  });
});

describe("a move of the user", () => {
  test("shows at once and stays when the server agrees", () => {
    const moved = drop(two(), ["1"], "b", 1);
    expect(shown(moved)).toEqual({ a: "23", b: "415" });
    const done = ops(moved, { op: "settle", op_id: "op-1", outcome: "done", cards: [card("1", "b", { v: 2, k: 4.5 })] });
    expect(done.pending).toEqual([]);
    expect(shown(done)).toEqual({ a: "23", b: "415" });
  });

  test("goes back when it is refused or was never answered", () => {
    const moved = drop(two(), ["1"], "b", 1);
    const refused = ops(moved, { op: "settle", op_id: "op-1", outcome: "refused", cards: [card("1", "a")] });
    expect(shown(refused)).toEqual({ a: "123", b: "45" });
    expect(shown(reduce(moved, { type: "forget", op: "op-1" }))).toEqual({ a: "123", b: "45" });
  });

  test("goes where a colleague put it after a conflict", () => {
    const state = ops(drop(two(), ["1"], "b", 1), {
      op: "settle", op_id: "op-1", outcome: "conflict", cards: [card("1", "b", { v: 5, k: 9 })],
    });
    expect(shown(state)).toEqual({ a: "23", b: "451" });
  });

  test("waits in its new place while the server asks, and goes back with a snapshot", () => {
    const asked = ops(drop(two(), ["1"], "b", 0), { op: "settle", op_id: "op-1", outcome: "ask" });
    expect(shown(asked)).toEqual({ a: "23", b: "145" });
    const again = reduce(asked, { type: "snapshot", columns: two().columns, base: 50 });
    expect(shown(again)).toEqual({ a: "123", b: "45" });
  });

  test("survives a snapshot while it is being saved", () => {
    const again = reduce(drop(two(), ["1"], "b", 0), { type: "snapshot", columns: two().columns, base: 50 });
    expect(shown(again)).toEqual({ a: "23", b: "145" });
  });

  test("of a card that was deleted meanwhile shows nothing", () => {
    const state = ops(drop(two(), ["1"], "b", 0), { op: "del", id: "1" });
    expect(shown(state)).toEqual({ a: "23", b: "45" });
  });

  test("keeps several cards together, in order, below a neighbour that stays", () => {
    const move = moveTo(viewOf(two()), ["1", "5"], "b", 1);
    expect(move).toEqual({ ids: ["1", "5"], to: "b", index: 1, after: "4" });
    expect(shown(drop(two(), ["1", "5"], "b", 1))).toEqual({ a: "23", b: "415" });
  });

  test("that changes nothing is none", () => {
    expect(moveTo(viewOf(two()), ["2"], "a", 1)).toBeNull();
    expect(moveTo(viewOf(two()), ["2"], "nowhere", 1)).toBeNull();
  });
});

test("while a card is in the hand everything waits, and comes in order afterwards", () => {
  const lifted = reduce(two(), { type: "lift" });
  const held = ops(lifted, { op: "put", card: card("4", "a", { v: 2, k: 0 }) });
  const more = reduce(held, { type: "ops", ops: [{ op: "del", id: "2", seq: 12 }] });
  expect(shown(more)).toEqual({ a: "123", b: "45" });
  const released = reduce(more, { type: "release", move: null });
  expect(shown(released)).toEqual({ a: "413", b: "5" });
  expect(released.seq).toBe(12);
});

test("a carried card walks with the arrows and is not sent before it is dropped", () => {
  const view = viewOf(two());
  const right = stepTo(view, ["2"], "ArrowRight");
  expect(right).toMatchObject({ to: "b", index: 1, after: "4" });
  const carried = reduce(reduce(two(), { type: "lift" }), { type: "carry", move: right });
  expect(shown(carried)).toEqual({ a: "13", b: "425" });
  expect(carried.pending).toEqual([]);
  expect(positionOf(viewOf(carried), "2")).toEqual({ title: "Deal 2", stage: "B", position: 2, total: 3 });
  expect(stepTo(view, ["1"], "ArrowUp")).toBeNull();
  expect(stepTo(view, ["1"], "ArrowLeft")).toBeNull();
});

test("arrows walk over cards and past empty columns", () => {
  const view = viewOf(board(column("a", ["1", "2", "3"]), column("b", []), column("c", ["4"])));
  expect(neighbour(view, "3", "ArrowRight")).toBe("4");
  expect(neighbour(view, "4", "ArrowLeft")).toBe("1");
  expect(neighbour(view, "3", "ArrowDown")).toBeNull();
  expect(neighbour(view, "1", "End")).toBe("3");
});

test("a range lies within one column, and a group keeps the order of the board", () => {
  const view = viewOf(two());
  expect(rangeBetween(view, "3", "1")).toEqual(["1", "2", "3"]);
  expect(rangeBetween(view, "1", "5")).toEqual(["5"]);
  expect(inOrder(view, new Set(["5", "1", "3"]))).toEqual(["1", "3", "5"]);
});

test("what was seen is told with the move", () => {
  expect(seenOf(two().columns, ["1", "4", "9"])).toEqual({ 1: { v: 1, s: "a" }, 4: { v: 1, s: "b" } });
});

test("a text with an unknown name keeps it visible", () => {
  expect(fill("{title} to {stage}", { title: "A" })).toBe("A to {stage}");
});
