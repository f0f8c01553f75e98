// Snapshots and ops as they arrive, each applied once; remembers where cards lay, to show how the server moved them.
import { useCallback, useLayoutEffect, useReducer, useRef } from "react";
import { fly, placeOf } from "./drag.js";
import { START, hasHole, reduce, unfold } from "./model.js";

const MOST_FLIGHTS = 6;
const RESYNC_PAUSE_MS = 3000;

const begin = ({ columns, base }) => (columns?.length ? { ...START, columns: columns.map(unfold), base, seq: base } : START);

const cardsOf = (op) => (op.op === "put" ? [op.card.id] : op.op === "settle" ? (op.cards ?? []).map((card) => card.id) : []);

export function useFeed({ columns, base, ops, onResync }, root, onSettle) {
  const [state, send] = useReducer(reduce, { columns, base }, begin);
  const seen = useRef(base);
  const started = useRef(false);
  const asked = useRef(0);
  const flights = useRef(new Map());

  const remember = useCallback((ids) => {
    if (ids.length > MOST_FLIGHTS) return;
    for (const id of ids) {
      const was = placeOf(root.current, id);
      if (was) flights.current.set(id, was);
    }
  }, []);

  // Taken in before the browser paints: what came is on screen a frame earlier.
  useLayoutEffect(() => {
    // An empty list is a server that starts again: what is on screen stays until its snapshot comes.
    if (!columns?.length) return;
    if (started.current || !state.columns) send({ type: "snapshot", columns, base });
    started.current = true;
    seen.current = base;
    asked.current = 0;
  }, [columns, base]);

  useLayoutEffect(() => {
    if (!ops?.length || !columns?.length) return;
    if (hasHole(seen.current, ops)) {
      if (Date.now() - asked.current > RESYNC_PAUSE_MS && onResync?.() !== undefined) asked.current = Date.now();
      return;
    }
    const fresh = ops.filter((op) => op.seq > seen.current);
    if (!fresh.length) return;
    seen.current = fresh[fresh.length - 1].seq;
    if (!state.busy) remember(fresh.flatMap(cardsOf));
    fresh.filter((op) => op.op === "settle").forEach(onSettle);
    send({ type: "ops", ops: fresh });
  }, [ops, base]);

  useLayoutEffect(() => {
    if (state.busy) return;
    for (const [id, was] of flights.current) fly(root.current, id, was);
    flights.current.clear();
  }, [state]);

  return { state, send, remember };
}
