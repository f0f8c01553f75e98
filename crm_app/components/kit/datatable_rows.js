// Rows of a long list: those that were read, those that are seen, and what must be asked for.
import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from "react";

const AROUND = 12; // rows drawn beyond the edge
const BLOCK = 50;
const MOST = 200;
const AGAIN_MS = 4000;
const REST_MS = 60;

// The rows by their place, as the server sent them; `n` grows from feed to feed, `fresh` makes all others old.
export function useRows(feeds, onFresh) {
  const rows = useRef(new Map());
  const asked = useRef(new Map());
  const seen = useRef(0);
  const gen = useRef(null);
  const [, bump] = useReducer((n) => n + 1, 0);

  useEffect(() => {
    let changed = false;
    for (const feed of feeds ?? []) {
      if (feed.n <= seen.current) continue;
      seen.current = feed.n;
      changed = true;
      if (feed.fresh) {
        rows.current = new Map();
        asked.current.clear();
      }
      if (feed.gen !== gen.current) {
        const isFirst = gen.current === null;
        gen.current = feed.gen;
        onFresh(isFirst);
      }
      feed.rows.forEach((row, i) => rows.current.set(feed.start + i, row));
    }
    if (changed) bump();
  }, [feeds]);

  // Whole blocks, so that the server goes on where an earlier page ended.
  const wanted = useCallback((first, last, total) => {
    let from = -1;
    let to = -1;
    const now = Date.now();
    for (let i = Math.max(0, first); i < Math.min(last, total); i++) {
      if (rows.current.has(i)) continue;
      const block = Math.floor(i / BLOCK);
      if (now - (asked.current.get(block) ?? 0) < AGAIN_MS) continue;
      if (from < 0) from = block * BLOCK;
      to = (block + 1) * BLOCK;
    }
    if (from < 0) return null;
    to = Math.min(to, from + MOST);
    for (let b = from / BLOCK; b < to / BLOCK; b++) asked.current.set(b, now);
    return [from, to];
  }, []);

  return { rows: rows.current, wanted };
}

// Which rows are in sight, whether the table scrolls or the page does.
export function useWindow(wrap, body, total, onRest) {
  const [range, setRange] = useState([0, 40]);
  const height = useRef(36);
  const timer = useRef(null);

  const look = useCallback(() => {
    if (!wrap.current || !body.current) return;
    const outer = wrap.current.getBoundingClientRect();
    const inner = body.current.getBoundingClientRect();
    // only of rows that were read: a height that changes as they come and go would move what is in sight, for ever
    const row = body.current.querySelector("tr[data-row]:not(.waits)");
    if (row) height.current = row.getBoundingClientRect().height || height.current;
    const top = Math.max(outer.top, 0) - inner.top;
    const bottom = Math.min(outer.bottom, window.innerHeight) - inner.top;
    const first = Math.max(0, Math.floor(top / height.current) - AROUND);
    const last = Math.min(total, Math.ceil(bottom / height.current) + AROUND);
    setRange((was) => (was[0] === first && was[1] === last ? was : [first, Math.max(last, first)]));
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onRest.current?.(first, last), REST_MS);
  }, [total]);

  useLayoutEffect(look);
  useEffect(() => {
    window.addEventListener("scroll", look, true);
    window.addEventListener("resize", look);
    return () => {
      window.removeEventListener("scroll", look, true);
      window.removeEventListener("resize", look);
      clearTimeout(timer.current);
    };
  }, [look]);

  const reveal = useCallback((index) => {
    const outer = wrap.current;
    const inner = body.current;
    if (!outer || !inner) return;
    const head = outer.querySelector("thead")?.offsetHeight ?? 0;
    const foot = outer.querySelector("tfoot")?.offsetHeight ?? 0;
    const at = index * height.current;
    if (outer.scrollHeight > outer.clientHeight + 1) {
      if (at < outer.scrollTop) outer.scrollTop = at;
      const low = at + height.current + head + foot - outer.clientHeight;
      if (low > outer.scrollTop) outer.scrollTop = low;
      return;
    }
    const y = inner.getBoundingClientRect().top + at;
    if (y < 60) window.scrollBy(0, y - 60);
    else if (y + height.current > window.innerHeight - 120) window.scrollBy(0, y + height.current - window.innerHeight + 120);
  }, []);

  return { range, height: height.current, reveal };
}
