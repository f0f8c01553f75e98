import { useEffect, useId, useRef, useState } from "react";
import { place } from "./menu.jsx";

const TYPE_PAUSE = 180;

/* A text box with a list. Without `onSearch` it filters `options` itself; with it, Python answers with new `options`.
   An option is {value, label, hint}. With `onCreate` the typed text can be taken as a new record; with `free` the form
   takes it, as `<name>_text` beside an empty value, also when the box is left without picking. */
export function Combo({
  id,
  name,
  value = "",
  text = "",
  options = [],
  onPick,
  onSearch,
  onCreate,
  free,
  onCancel,
  onLeave,
  placeholder,
  required,
  invalid,
  describedBy,
  label,
  focus,
}) {
  const own = useId();
  const list = `${own}-list`;
  const input = useRef(null);
  const box = useRef(null);
  const timer = useRef(null);
  const [typed, setTyped] = useState(null);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [chosen, setChosen] = useState({ value, text });
  const shownText = chosen.text || options.find((o) => o.value === chosen.value)?.label || "";

  // Told back by Python, what was chosen here is no news: something else may have been chosen since.
  const mine = useRef(new Set());
  const take = (next) => {
    mine.current.add(`${next.value} ${next.text}`);
    setChosen(next);
  };
  useEffect(() => {
    if (mine.current.delete(`${value} ${text}`)) return;
    mine.current.clear();
    setChosen({ value, text });
  }, [value, text]);
  useEffect(() => {
    if (!focus) return;
    input.current.focus();
    input.current.select();
    show();
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);

  const query = (typed ?? "").trim().toLowerCase();
  const hits = onSearch || !query ? options : options.filter((o) => o.label.toLowerCase().includes(query));
  const canCreate = (onCreate || free) && query && !hits.some((o) => o.label.toLowerCase() === query);
  const rows = canCreate ? [...hits, { value: null, label: `Create “${typed.trim()}”`, fresh: true }] : hits;
  const active = Math.min(at, rows.length - 1);

  useEffect(() => {
    const el = box.current;
    if (open && !el.matches(":popover-open")) el.showPopover();
    else if (!open && el.matches(":popover-open")) el.hidePopover();
    if (open) {
      el.style.minWidth = `${input.current.offsetWidth}px`;
      place(el, input.current);
      el.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    }
  }, [open, rows.length, active]);

  const pick = (option) => {
    setOpen(false);
    setTyped(null);
    if (option.fresh && !free) return onCreate(typed.trim());
    if (option.fresh) return take({ value: "", text: typed.trim() });
    take({ value: option.value, text: option.label });
    onPick?.(option.value, option.label);
  };
  const type = (e) => {
    const next = e.target.value;
    setTyped(next);
    setOpen(true);
    setAt(next ? 0 : -1);
    if (!onSearch) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(onSearch, TYPE_PAUSE, next);
  };
  const show = () => {
    if (open) return;
    setOpen(true);
    setAt(options.findIndex((o) => o.value === chosen.value));
    onSearch?.("");
  };
  const keys = (e) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!open) return show();
      setAt((active + (e.key === "ArrowDown" ? 1 : -1) + rows.length) % (rows.length || 1));
    } else if (e.key === "Enter" && open && rows[active]) {
      e.preventDefault();
      pick(rows[active]);
    } else if (e.key === "Escape" && (open || typed !== null)) {
      e.preventDefault();
      e.stopPropagation();
      setOpen(false);
      setTyped(null);
      onCancel?.();
    }
  };
  const leave = () => {
    setOpen(false);
    if (typed === "" && !required && chosen.value) pick({ value: "", label: "" });
    else if (free && query) pick(hits.find((o) => o.label.toLowerCase() === query) ?? { fresh: true });
    setTyped(null);
    onLeave?.();
  };

  return (
    <span className="combo affix">
      <input
        ref={input}
        id={id}
        className="input"
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
        placeholder={placeholder}
        value={typed ?? shownText}
        onChange={type}
        onClick={() => {
          if (typed === null) input.current.select(); // what is typed next takes the place of the choice
          show();
        }}
        onKeyDown={keys}
        onBlur={leave}
      />
      <span className="after">
        <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M3.15 5.65c.2-.2.5-.2.7 0L8 9.79l4.15-4.14a.5.5 0 0 1 .7.7l-4.5 4.5a.5.5 0 0 1-.7 0l-4.5-4.5a.5.5 0 0 1 0-.7" />
        </svg>
      </span>
      {name && <input type="hidden" name={name} value={chosen.value ?? ""} />}
      {name && free && <input type="hidden" name={`${name}_text`} value={chosen.value ? "" : chosen.text} />}
      <div ref={box} popover="manual" className="menu choices" onMouseDown={(e) => e.preventDefault()}>
        {rows.length === 0 && <p>{query ? `Nothing found for “${typed.trim()}”` : "Type to search"}</p>}
        <div id={list} role="listbox" aria-label={label ?? "Choices"}>
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
