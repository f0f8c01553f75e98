import { useEffect, useId, useRef, useState } from "react";
import { place } from "./menu.jsx";

const TYPE_PAUSE = 180;
const PARTS = /\s*;\s*/;
const DISMISS =
  "m4.09 4.22.06-.07a.5.5 0 0 1 .63-.06l.07.06L8 7.29l3.15-3.14a.5.5 0 1 1 .7.7L8.71 8l3.14 3.15a.5.5 0 0 1 .06.63l-.06.07a.5.5 0 0 1-.63.06l-.07-.06L8 8.71l-3.15 3.14a.5.5 0 0 1-.7-.7L7.29 8 4.15 4.85a.5.5 0 0 1-.06-.63";

const taken = (text) => [...new Set((text ?? "").split(PARTS).filter(Boolean))];

/* Several of a list as chips, parted by semicolons in `value`. An option is {value, label, hint}; with `free` what is
   typed is one, too. With `onSearch` Python answers with new `options`. Arrows and Enter take, Backspace gives back the
   last one, Enter in an empty box is `onDone`. Each event gets the value and how it reads. */
export function Picks({
  id,
  name,
  value = "",
  options = [],
  free,
  onSearch,
  onChange,
  onDone,
  onCancel,
  onLeave,
  label,
  required,
  invalid,
  describedBy,
  focus,
}) {
  const own = useId();
  const list = `${own}-list`;
  const input = useRef(null);
  const frame = useRef(null);
  const box = useRef(null);
  const timer = useRef(null);
  const [chosen, setChosen] = useState(() => taken(value));
  const now = useRef(chosen);
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [heard, setHeard] = useState("");

  const isOf = (option, one) => option.value === one || option.label.toLowerCase() === one.toLowerCase();
  const labelOf = (one) => options.find((o) => isOf(o, one))?.label ?? one;
  const whole = () => [now.current.join("; "), now.current.map(labelOf).join("; ")];

  useEffect(() => {
    now.current = taken(value);
    setChosen(now.current);
  }, [value]);
  useEffect(() => {
    if (!focus) return;
    input.current.focus();
    show();
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);

  const query = typed.trim().toLowerCase();
  const left = options.filter((o) => !chosen.some((one) => isOf(o, one)));
  const hits = query ? left.filter((o) => o.label.toLowerCase().includes(query)) : left;
  const isNew = free && query && !options.some((o) => isOf(o, query)) && !chosen.some((c) => c.toLowerCase() === query);
  const rows = isNew ? [...hits, { value: null, label: `Add “${typed.trim()}”`, fresh: true }] : hits;
  const active = Math.min(at, rows.length - 1);

  useEffect(() => {
    const el = box.current;
    if (open && !el.matches(":popover-open")) el.showPopover();
    else if (!open && el.matches(":popover-open")) el.hidePopover();
    if (open) {
      el.style.minWidth = `${frame.current.offsetWidth}px`;
      place(el, frame.current);
      el.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    }
  }, [open, rows.length, active, chosen.length]);

  const ask = (text) => {
    clearTimeout(timer.current);
    if (onSearch) timer.current = setTimeout(onSearch, text ? TYPE_PAUSE : 0, text);
  };
  const show = () => {
    setOpen(true);
    ask(typed.trim());
  };
  const become = (next, words) => {
    now.current = next;
    setChosen(next);
    setTyped("");
    setAt(-1);
    setHeard(words);
    onChange?.(...whole());
  };
  const add = (one) => !now.current.includes(one) && become([...now.current, one], `${labelOf(one)} added`);
  const drop = (one) => become(now.current.filter((c) => c !== one), `${labelOf(one)} removed`);
  // of what is typed: an option of that name, or the text itself
  const addTyped = () => {
    for (const part of taken(typed.replaceAll(",", ";"))) {
      const known = options.find((o) => isOf(o, part));
      if (known) add(known.value);
      else if (free) add(part);
    }
    setTyped("");
  };
  const pick = (option) => (option.fresh ? addTyped() : add(option.value));
  const type = (e) => {
    setTyped(e.target.value);
    setOpen(true);
    setAt(e.target.value && !free ? 0 : -1);
    ask(e.target.value.trim());
  };
  const keys = (e) => {
    if (e.nativeEvent.isComposing) return;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!open) return show();
      setAt((active + (e.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1) + rows.length) % (rows.length || 1));
    } else if (e.key === "Enter" && open && rows[active]) {
      e.preventDefault();
      pick(rows[active]);
    } else if ((e.key === "Enter" || e.key === ";" || e.key === ",") && query) {
      e.preventDefault();
      addTyped();
    } else if (e.key === "Enter" && onDone) {
      e.preventDefault();
      onDone(...whole());
    } else if (e.key === "Backspace" && !typed && chosen.length) {
      drop(chosen[chosen.length - 1]);
    } else if (e.key === "Escape" && (onCancel || open || typed)) {
      e.preventDefault();
      e.stopPropagation();
      setOpen(false);
      setTyped("");
      onCancel?.();
    }
  };
  const leave = () => {
    setOpen(false);
    if (query) addTyped();
    onLeave?.(...whole());
  };

  return (
    <span className="combo affix">
      <span
        ref={frame}
        className="picks"
        data-invalid={invalid || undefined}
        onMouseDown={(e) => {
          if (e.target === input.current) return;
          e.preventDefault();
          input.current.focus();
        }}
      >
        {chosen.map((one) => (
          <span key={one} className="badge">
            <span className="clip">{labelOf(one)}</span>
            <button type="button" tabIndex={-1} aria-label={`Remove ${labelOf(one)}`} onClick={() => drop(one)}>
              <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
                <path d={DISMISS} />
              </svg>
            </button>
          </span>
        ))}
        <input
          ref={input}
          id={id}
          role="combobox"
          autoComplete="off"
          aria-expanded={open}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={open && rows[active] ? `${list}-${active}` : undefined}
          aria-label={label}
          aria-invalid={invalid || undefined}
          aria-describedby={describedBy}
          aria-required={required || undefined}
          value={typed}
          onChange={type}
          onClick={show}
          onKeyDown={keys}
          onBlur={leave}
        />
      </span>
      {name && <input type="hidden" name={name} value={chosen.join("; ")} />}
      <span className="sr" role="status">
        {heard}
      </span>
      <div ref={box} popover="manual" className="menu choices" onMouseDown={(e) => e.preventDefault()}>
        {rows.length === 0 && <p>{query ? `Nothing found for “${typed.trim()}”` : free ? "Type a new one" : "All are taken"}</p>}
        <div id={list} role="listbox" aria-label={label ?? "Choices"} aria-multiselectable="true">
          {rows.map((o, i) => (
            <div
              key={o.value ?? "create"}
              id={`${list}-${i}`}
              role="option"
              aria-selected={i === active}
              className="opt"
              onMouseMove={() => setAt(i)}
              onClick={() => pick(o)}
            >
              <span className="clip">{o.label}</span>
              {o.hint && <span className="tail small">{o.hint}</span>}
            </div>
          ))}
        </div>
      </div>
    </span>
  );
}
