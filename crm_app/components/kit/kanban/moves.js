// Moving cards: what is shown, what is sent, what is said, and what happens when no answer comes.
import { flushSync } from "react-dom";
import { fill, findCard, inOrder, place, positionOf, seenOf } from "./model.js";
import { newOp, tell } from "./outbox.js";

export const createMoves = (hub) => {
  const titleOf = (id) => findCard(hub.view, id)?.card.t ?? "";
  const saving = (ids) => hub.state.pending.some((move) => move.ids.some((id) => ids.includes(id)));

  const moves = {
    // All selected cards when one of them is taken.
    inHand: (id) => (hub.selection.has(id) ? inOrder(hub.view, hub.selection) : [id]),

    // Why these cards cannot be moved now; empty when they can.
    hindrance: (ids) => hub.locked || (saving(ids) ? hub.labels.still_saving : ""),

    refuse(why) {
      hub.say(why);
      if (hub.locked) tell({ id: "board-locked", kind: "error", text: why });
    },

    speak(text, move) {
      const shown = move.to == null ? hub.view : place(hub.view, move);
      const label = move.ids.length > 1 ? `${text}_many` : text;
      hub.say(hub.labels[label], { ...positionOf(shown, move.ids[0]), count: move.ids.length });
    },

    speakBack: (ids) => hub.say(hub.labels.put_back, { title: titleOf(ids[0]) }),

    // Ends a drag or a carry with a move, or with none. Without a connection the card lies where it was at once; the
    // columns of won and lost deals ask before they take one.
    commit(move) {
      const end = move && hub.view.find((column) => column.id === move.to).kind;
      if (end === "won" || end === "lost") {
        moves.close(move.ids, end);
        return moves.commit(null);
      }
      const job = move && moves.job("move", move.ids, (op, seen) => [move.ids, move.to, move.index, move.after, seen, op]);
      const sent = job ? hub.outbox.post({ ...job, move: { ...move, op: job.op } }) : false;
      flushSync(() => {
        hub.send({ type: "release", move: sent ? { ...move, op: job.op } : null });
        hub.setLifted(null);
      });
    },

    close: (ids, end) => hub.outbox.post(moves.job("close", ids, (op, seen) => [ids, end, seen, op])),

    job(kind, ids, args) {
      const op = newOp();
      return { op, kind, ids, title: titleOf(ids[0]), args: args(op, seenOf(hub.state.columns, ids)) };
    },

    retry(job) {
      if (!hub.outbox.post(job) || !job.move) return;
      hub.remember(job.ids);
      hub.send({ type: "release", move: job.move });
    },

    // No connection, or no answer in time: the card goes back, and the same operation can be sent again.
    lost(job, reason) {
      if (job.kind === "add") return hub.setAddResult({ op_id: job.op, outcome: "failed", text: hub.labels[`add_${reason}`] });
      hub.remember(job.ids);
      hub.send({ type: "forget", op: job.op });
      const text = fill(hub.labels[`${job.ids.length > 1 ? "moves" : "move"}_${reason}`], { title: job.title, count: job.ids.length });
      tell({ id: job.op, kind: "error", text, action: hub.labels.retry, run: () => moves.retry(job) });
    },
  };
  return moves;
};
