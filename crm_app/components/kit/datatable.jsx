import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { lettersOn } from "./acts.js";
import { Head } from "./datatable_head.jsx";
import { Row } from "./datatable_row.jsx";
import { useRows, useWindow } from "./datatable_rows.js";

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable=true]";
const PAGE = 10;
const many = (n) => n.toLocaleString("en").replace(/,/g, "\u202f");

/* A list of any length: only the rows in sight are drawn, the rest is asked for when it comes near. Arrows walk the cells,
   Enter opens a record or edits a cell, X and Space choose, J and K step through the records while one is open. */
export function DataTable({
  label, columns = [], feeds = [], total = 0, sort = "", descending = false, density = "comfortable", sums = {},
  openId = "", tail = "", statuses, options, canPick = false, picks = 0, countText = "", icons = {}, words = {}, onRange, onSort, onOpen,
  onSave, onSearch, onWidth, onPick, children,
}) {
  const wrap = useRef(null);
  const body = useRef(null);
  const rest = useRef(null);
  const [at, setAt] = useState({ row: 0, col: 0 });
  const [edit, setEdit] = useState(null);
  const [picked, setPicked] = useState({ all: false, ids: new Set() }); // of all that match, the ids are left out
  const [widths, setWidths] = useState({});
  const focusWanted = useRef(false);
  const anchor = useRef(0);

  const choose = useCallback(
    (next) => {
      setPicked(next);
      onPick?.([...next.ids], next.all);
    },
    [onPick],
  );
  const fresh = useCallback(
    (isFirst) => {
      if (isFirst) return;
      wrap.current?.scrollTo?.({ top: 0 });
      setAt({ row: 0, col: 0 });
      setEdit(null);
      setPicked((was) => {
        if (was.all || was.ids.size) queueMicrotask(() => onPick?.([], false));
        return { all: false, ids: new Set() };
      });
    },
    [onPick],
  );
  const { rows, wanted } = useRows(feeds, fresh);
  const { range, height, reveal } = useWindow(wrap, body, total, rest);
  rest.current = (first, last) => {
    const missing = wanted(first, last, total);
    if (missing) onRange?.(...missing);
  };

  const place = useCallback(
    (row, col) => {
      const next = { row: Math.max(0, Math.min(total - 1, row)), col: Math.max(0, Math.min(columns.length - 1, col)) };
      setAt(next);
      reveal(next.row);
      focusWanted.current = true;
    },
    [total, columns.length, reveal],
  );
  useLayoutEffect(() => {
    if (!focusWanted.current) return;
    const cell = body.current?.querySelector(`tr[data-row="${at.row}"] [data-col="${at.col}"]`);
    if (!cell) return;
    focusWanted.current = false;
    cell.focus({ preventScroll: true });
  });

  const navigate = useNavigate();
  const open = useCallback(
    (row) => (onOpen ? row && onOpen(row.id) : row?.href && navigate(row.href + tail)),
    [onOpen, navigate, tail],
  );
  const visit = (row) => row?.href && window.open(row.href + tail, "_blank", "noopener");
  const toggle = (index, isRange) => {
    const row = rows.get(index);
    if (!row || !canPick) return;
    const ids = new Set(picked.ids);
    if (isRange) {
      const adds = !picked.all || !ids.has(row.id);
      const [a, b] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
      for (let i = a; i <= b; i++) if (rows.has(i)) adds ? ids.add(rows.get(i).id) : ids.delete(rows.get(i).id);
    } else if (ids.has(row.id)) ids.delete(row.id);
    else ids.add(row.id);
    anchor.current = index;
    if (picked.all && ids.size >= total) return clear();
    choose({ all: picked.all, ids });
  };
  const pickLoaded = () => {
    if (picked.all && picked.ids.size) return choose({ all: true, ids: new Set() });
    const loaded = [...rows.values()].map((r) => r.id);
    const isWhole = picked.all || (loaded.length > 0 && loaded.every((id) => picked.ids.has(id)));
    choose({ all: false, ids: new Set(isWhole ? [] : loaded) });
  };
  const clear = () => choose({ all: false, ids: new Set() });
  const known = useRef(picks);
  useEffect(() => {
    if (known.current !== picks) setPicked({ all: false, ids: new Set() });
    known.current = picks;
  }, [picks]);
  const begin = (index, name) => {
    const row = rows.get(index);
    const column = columns.find((c) => c.name === name);
    if (row && column?.edit && !row.cells[name]?.locked) setEdit({ id: row.id, name });
  };
  const finish = () => {
    setEdit(null);
    focusWanted.current = true;
  };
  // rows are drawn anew only when they change, so what they call must stay the same
  const acts = useRef({});
  acts.current = { toggle, open, begin, finish, focus: (row, col) => setAt({ row, col }) };
  const on = useMemo(() => {
    const call = (name) => (...given) => acts.current[name](...given);
    return Object.fromEntries(["toggle", "open", "begin", "finish", "focus"].map((name) => [name, call(name)]));
  }, []);

  // the record that is open, and the row the focus goes back to when it closes
  const indexOf = (id) => {
    for (const [i, row] of rows) if (row.id === id) return i;
    return -1;
  };
  const before = useRef(openId);
  useEffect(() => {
    const was = before.current;
    before.current = openId;
    if (openId !== was) {
      // the address names it, without another reading of the list
      const address = new URL(window.location.href);
      if (openId) address.searchParams.set("open", openId);
      else address.searchParams.delete("open");
      window.history.replaceState(window.history.state, "", address);
    }
    if (openId) {
      const i = indexOf(openId);
      if (i >= 0) {
        setAt((now) => ({ ...now, row: i }));
        reveal(i);
      }
    } else if (was && (document.activeElement === document.body || !document.activeElement)) focusWanted.current = true;
    if (!openId && was) setAt((now) => ({ ...now }));
  }, [openId]);

  const step = useRef(null);
  step.current = (by) => {
    const here = openId ? indexOf(openId) : at.row;
    const next = Math.max(0, Math.min(total - 1, here + by));
    if (!openId) return place(next, at.col);
    if (rows.has(next)) return open(rows.get(next));
    reveal(next);
    onRange?.(Math.floor(next / 50) * 50, Math.floor(next / 50) * 50 + 50);
  };
  useEffect(() => {
    const pressed = (e) => {
      if (e.defaultPrevented || e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.target.closest?.(TYPING) || document.querySelector("dialog[open]") || !lettersOn()) return;
      if (e.key === "j" || e.key === "k") {
        e.preventDefault();
        step.current(e.key === "j" ? 1 : -1);
      }
    };
    const stepped = (e) => {
      const button = e.target.closest?.("[data-list-step]");
      if (button) step.current(Number(button.dataset.listStep));
    };
    window.addEventListener("keydown", pressed);
    window.addEventListener("click", stepped);
    return () => {
      window.removeEventListener("keydown", pressed);
      window.removeEventListener("click", stepped);
    };
  }, []);

  const keys = (e) => {
    if (e.target.closest(TYPING) || e.defaultPrevented || e.altKey) return;
    const cell = e.target.closest("[data-col]");
    if (!cell) return;
    const row = Number(cell.parentElement.dataset.row);
    const col = Number(cell.dataset.col);
    const mod = e.ctrlKey || e.metaKey;
    const go = {
      ArrowDown: () => (e.shiftKey && canPick && (picked.ids.size || toggle(row, false), toggle(row + 1, true)), place(row + 1, col)),
      ArrowUp: () => (e.shiftKey && canPick && (picked.ids.size || toggle(row, false), toggle(row - 1, true)), place(row - 1, col)),
      ArrowLeft: () => place(row, col - 1),
      ArrowRight: () => place(row, col + 1),
      Home: () => place(mod ? 0 : row, 0),
      End: () => place(mod ? total - 1 : row, columns.length - 1),
      PageDown: () => place(row + PAGE, col),
      PageUp: () => place(row - PAGE, col),
      Enter: () => (mod ? visit(rows.get(row)) : columns[col].edit && col > 0 ? begin(row, columns[col].name) : open(rows.get(row))),
      F2: () => begin(row, columns[col].name),
      " ": () => toggle(row, e.shiftKey),
      x: () => toggle(row, false),
      X: () => toggle(row, true),
    }[e.key];
    if (mod && e.key === "a" && canPick && total) {
      e.preventDefault();
      return choose({ all: true, ids: new Set() });
    }
    if (e.key === "Escape" && (picked.all || picked.ids.size)) {
      e.preventDefault();
      return clear();
    }
    if (!go || (mod && !["Home", "End", "Enter"].includes(e.key))) return;
    e.preventDefault();
    go();
  };

  const [first, last] = range;
  const drawn = [];
  for (let i = first; i < Math.min(last, total); i++) drawn.push(i);
  const editRow = edit ? indexOf(edit.id) : -1;
  if (editRow >= 0 && !drawn.includes(editRow)) drawn.push(editRow);
  drawn.sort((a, b) => a - b);
  const above = (drawn[0] ?? 0) * height;
  const below = Math.max(0, total - 1 - (drawn[drawn.length - 1] ?? total - 1)) * height;
  const isPicked = (row) => picked.all !== picked.ids.has(row.id);
  const chosen = picked.all ? Math.max(0, total - picked.ids.size) : picked.ids.size;
  const leavesOut = picked.all && picked.ids.size > 0;
  const loaded = rows.size;

  return (
    <>
      <div className={`table-wrap dt ${density === "compact" ? "compact" : ""}`} ref={wrap}>
        <table className="table" role="grid" aria-label={label} aria-rowcount={total + 1} aria-multiselectable={canPick || undefined}>
          <colgroup>
            {canPick && <col className="pick-col" />}
            {columns.map((c) => (
              <col key={c.name} className={c.hide ? "hide-s" : "keep"} style={{ "--w": `${widths[c.name] ?? c.width}px` }} />
            ))}
          </colgroup>
          <thead>
            <Head
              {...{ columns, sort, descending, onSort, icons, words, widths, setWidths, onWidth, canPick, pickLoaded }}
              whole={chosen > 0 && (picked.all ? !leavesOut : chosen >= loaded)}
              some={chosen > 0}
            />
          </thead>
          <tbody ref={body} onKeyDown={keys}>
            {above > 0 && <tr aria-hidden="true"><td className="gap" style={{ height: above }} /></tr>}
            {drawn.map((i) => {
              const row = rows.get(i);
              return (
                <Row
                  key={row?.id ?? `at-${i}`}
                  {...{ row, index: i, tail, columns, canPick, icons, words, statuses, options, onSearch, onSave }}
                  focusCol={at.row === i ? at.col : -1}
                  isPicked={Boolean(row && isPicked(row))}
                  isOpen={Boolean(row && row.id === openId)}
                  editing={row && edit?.id === row.id ? edit.name : ""}
                  on={on}
                />
              );
            })}
            {below > 0 && <tr aria-hidden="true"><td className="gap" style={{ height: below }} /></tr>}
          </tbody>
          <Foot {...{ columns: columns.map((c) => ({ ...c, width: widths[c.name] ?? c.width })), sums, canPick, countText, words }} />
        </table>
      </div>
      {chosen > 0 && (
        <div className="bulk" role="group" aria-label={words.selection}>
          <span className="strong" role="status">
            {many(chosen)} {leavesOut && `${words.of} ${many(total)} `}
            {words.selected}
          </span>
          {(!picked.all || leavesOut) && total > chosen && (
            <button type="button" className="btn link sm" onClick={() => choose({ all: true, ids: new Set() })}>
              {words.all} {many(total)}
            </button>
          )}
          <hr aria-hidden="true" />
          {children}
          <button type="button" className="icon-btn" aria-label={words.clear} onClick={clear}>
            <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true"><path d={icons.dismiss} /></svg>
          </button>
        </div>
      )}
    </>
  );
}

function Foot({ columns, sums, canPick, countText, words }) {
  const [kinds, setKinds] = useState({});
  if (!countText) return null;
  return (
    <tfoot>
      <tr>
        {canPick && <td />}
        {columns.map((c, n) => {
          const className = [c.number && "r", c.hide && "hide-s"].filter(Boolean).join(" ");
          const found = sums?.[c.name];
          if (n === 0) return <td key={c.name} className={className}>{countText}</td>;
          if (!found) return <td key={c.name} className={className} />;
          const choices = ["sum", "average"].filter((k) => found[k]);
          const kind = kinds[c.name] && found[kinds[c.name]] ? kinds[c.name] : choices[0];
          if (!kind) return <td key={c.name} className={className}>{found.text ?? ""}</td>;
          const next = choices[(choices.indexOf(kind) + 1) % choices.length];
          const short = found[`${kind}_short`];
          const isTight = !short && found[kind].length * 7 + 56 > c.width; // the word goes before a digit does
          const inside = (
            <>
              {!isTight && <span className="kind">{words[`${kind}Short`]}</span>} <Figure full={found[kind]} short={short} width={c.width} />
            </>
          );
          return (
            <td key={c.name} className={className}>
              {choices.length > 1 ? (
                <button
                  type="button"
                  className="sum"
                  title={found[kind]}
                  onClick={() => setKinds({ ...kinds, [c.name]: next })}
                >
                  <span className="sr">{c.label}: </span>
                  {inside}
                  <span className="sr">
                    {found[`${kind}_short`] ? ` ${found[kind]}` : ""}. {words.show} {words[next]}
                  </span>
                </button>
              ) : (
                <span className="sum" title={found[kind]}>{inside}</span>
              )}
            </td>
          );
        })}
      </tr>
    </tfoot>
  );
}

/* An amount that fits: in short where the column is too narrow for all of it, and on a phone. */
function Figure({ full, short, width }) {
  if (!short || short === full) return <b>{full}</b>;
  if (full.length * 7 + 56 > width) return <b>{short}</b>;
  return (
    <b>
      <span className="full">{full}</span>
      <span className="short">{short}</span>
    </b>
  );
}
