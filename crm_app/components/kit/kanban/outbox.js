// What was sent and is not answered yet. Reflex queues events while the socket is down and fires them later; a card that
// went back must never move afterwards, so nothing is sent without a connection (the handlers are `temporal`: Reflex
// drops them then, and returns nothing) and everything unanswered is given up aloud.
import { useCallback, useContext, useEffect, useRef } from "react";
import { EventLoopContext } from "$/utils/context-registry";

// From where kit/scripts.py lays the scripts of the kit.
export { newOperation as newOp } from "../scripts/operation.js";

const PATIENCE_MS = 8000;

export function useOutbox(handlers, onLost) {
  const errors = useContext(EventLoopContext)?.[1] ?? [];
  const down = errors.length > 0;
  const jobs = useRef(new Map());
  const latest = useRef();
  latest.current = { handlers, onLost, down };

  const lose = useCallback((op, reason) => {
    const job = jobs.current.get(op);
    if (!job) return;
    clearTimeout(job.timer);
    jobs.current.delete(op);
    latest.current.onLost(job, reason);
  }, []);

  // Sends a job {op, kind, args}; false when there is no connection, and `onLost` has heard of it.
  const post = useCallback((job) => {
    const { handlers, down } = latest.current;
    const sent = navigator.onLine && !down ? handlers[job.kind]?.(...job.args) : undefined;
    if (sent === undefined) {
      latest.current.onLost(job, "offline");
      return false;
    }
    jobs.current.set(job.op, { ...job, timer: setTimeout(() => lose(job.op, "silent"), PATIENCE_MS) });
    return true;
  }, [lose]);

  const settled = useCallback((op) => {
    const job = jobs.current.get(op);
    clearTimeout(job?.timer);
    jobs.current.delete(op);
    return job;
  }, []);

  useEffect(() => {
    const loseAll = () => [...jobs.current.keys()].forEach((op) => lose(op, "offline"));
    if (down) loseAll();
    window.addEventListener("offline", loseAll);
    return () => window.removeEventListener("offline", loseAll);
  }, [down, lose]);

  useEffect(() => () => jobs.current.forEach((job) => clearTimeout(job.timer)), []);

  return { post, settled };
}

// A notice made in the browser, for when the server cannot make one; the notices of the shell show it.
export const tell = (notice) => window.dispatchEvent(new CustomEvent("crm:notice", { detail: notice }));
export const untell = (id) => window.dispatchEvent(new CustomEvent("crm:notice-gone", { detail: { id } }));
