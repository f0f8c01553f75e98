// Focus that goes along with a card, the stage in view on a phone, and values that stay the same object while equal.
import { useCallback, useLayoutEffect, useRef, useState } from "react";
import { cardElement } from "./drag.js";

const cardWithFocus = (root) => {
  const focused = typeof document === "undefined" ? null : document.activeElement;
  return focused?.matches?.("[data-deal]") && root?.contains(focused) ? focused.dataset.deal : null;
};

const focusCard = (root, id) => {
  const element = cardElement(root, id);
  element?.focus({ preventScroll: true });
  element?.scrollIntoView({ block: "nearest", inline: "nearest" });
};

// A card that changes its column is drawn anew and would lose focus: it gets it back after the render.
export function useCardFocus(root) {
  const wanted = useRef(null);
  const held = cardWithFocus(root.current);
  useLayoutEffect(() => {
    const id = wanted.current ?? held;
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (id !== null && (wanted.current !== null || lost)) focusCard(root.current, id);
    wanted.current = null;
  });
  return {
    focusAfter: useCallback((id) => (wanted.current = id), []),
    focusNow: useCallback((id) => focusCard(root.current, id), []),
  };
}

const nearestStage = (board) => {
  const middle = board.scrollLeft + board.clientWidth / 2;
  const distance = (stage) => Math.abs(stage.offsetLeft + stage.offsetWidth / 2 - middle);
  const stages = [...board.querySelectorAll("[data-stage]")];
  return stages.reduce((best, stage) => (best && distance(best) <= distance(stage) ? best : stage), null);
};

export function useStageInView(board, columns) {
  const [stage, setStage] = useState(null);
  const onScroll = useCallback(() => setStage(nearestStage(board.current)?.dataset.stage), []);
  const show = useCallback((id) => {
    const target = board.current.querySelector(`[data-stage="${CSS.escape(id)}"]`);
    if (target) board.current.scrollTo({ left: target.offsetLeft - (board.current.clientWidth - target.offsetWidth) / 2 });
  }, []);
  const current = columns.some((column) => column.id === stage) ? stage : columns[0]?.id;
  return { current, onScroll, show };
}

const textOf = (marks) => [...marks].join(";");

// One map of marks for each column; an untouched column gets the very map it had, and is not drawn again.
export function useMarks(columns, groups) {
  const before = useRef([]);
  const all = new Map();
  for (const [mark, ids] of groups) for (const id of ids) all.set(id, `${all.get(id) ?? ""} ${mark}`);
  const marks = columns.map((column, index) => {
    const own = column.cards.filter((card) => all.has(card.id));
    const now = new Map(own.map((card) => [card.id, all.get(card.id)]));
    const old = before.current[index];
    return old && textOf(old) === textOf(now) ? old : now;
  });
  before.current = marks;
  return marks;
}

const sameEntries = (a, b) => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
};

// The page writes its texts anew at each render; equal ones keep their identity, or every card would be drawn again.
export function useSame(value) {
  const kept = useRef(value);
  if (!sameEntries(kept.current, value)) kept.current = value;
  return kept.current;
}
