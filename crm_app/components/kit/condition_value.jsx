import { useEffect, useRef, useState } from "react";
import { Combo } from "./combo.jsx";

const REST_MS = 350;
const COUNTED = ["ago", "ahead"];

/* What a field is compared with: one box, two, or a list of values, as the operator takes it. */
export function Value({ node, ...on }) {
  if (node.box === "none") return null;
  const set = (value) => on.tell({ do: "value", path: node.path, value });
  if (node.takes === "pair") {
    const put = (n) => (v) => set(node.value.map((old, i) => (i === n ? v : old)));
    return (
      <span className="cond-pair">
        <One node={node} value={node.value[0]} set={put(0)} name={on.words.from} {...on} />
        <span className="muted">{on.words.and}</span>
        <One node={node} value={node.value[1]} set={put(1)} name={on.words.to} {...on} />
      </span>
    );
  }
  if (node.takes === "list") return <Several node={node} set={set} {...on} />;
  return <One node={node} value={node.value ?? ""} set={set} {...on} />;
}

function One(props) {
  const { node, value, set, name, words, options, onSearch, describedBy } = props;
  const label = `${node.label}: ${name ?? words.value}`;
  const told = { "aria-label": label, "aria-invalid": node.error ? true : undefined, "aria-describedby": describedBy };
  switch (node.box) {
    case "choice":
    case "flag":
    case "period":
      return (
        <select className="select" {...told} value={value} onChange={(e) => set(e.target.value)}>
          {!value && <option value="">{words.choose}</option>}
          {node.options.map((o) => (
            <option key={o.value} value={o.value}>{o.label}</option>
          ))}
        </select>
      );
    case "link":
      return (
        <Combo
          label={label}
          value={value}
          text={node.labels?.[value] && value ? node.labels[value] : ""}
          options={options[node.path] ?? node.options}
          placeholder={words.search}
          invalid={Boolean(node.error)}
          describedBy={describedBy}
          onSearch={(text) => onSearch?.(node.path, text)}
          onPick={(v) => set(v)}
        />
      );
    case "when":
      return <When node={node} value={value} set={set} told={told} words={words} />;
  }
  return (
    <span className="cond-text">
      {node.box === "money" && <span className="muted">{node.unit}</span>}
      <Text value={value} set={set} told={told} numeric={node.box !== "text"} short={node.box === "days"} />
      {node.unit && node.box !== "money" && <span className="muted">{node.unit}</span>}
    </span>
  );
}

/* A text box that owns what is typed and tells it when the hand rests. */
function Text({ value, set, told, numeric, short, type = "text" }) {
  const [text, setText] = useState(value);
  const said = useRef(value);
  const timer = useRef(null);
  const now = useRef(set);
  now.current = set;
  useEffect(() => {
    if (value !== said.current) setText(value);
    said.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (next) => {
    clearTimeout(timer.current);
    if (next === said.current) return;
    said.current = next;
    now.current(next);
  };
  return (
    <input
      {...told}
      type={type}
      className={`input ${short ? "short" : ""}`}
      inputMode={numeric ? "decimal" : undefined}
      autoComplete="off"
      value={text}
      onChange={(e) => {
        setText(e.target.value);
        clearTimeout(timer.current);
        timer.current = setTimeout(tell, REST_MS, e.target.value);
      }}
      onBlur={() => tell(text)}
      onKeyDown={(e) => e.key === "Enter" && tell(text)}
    />
  );
}

/* A day: one of those that move along with today, so many days ago, or a fixed one. */
function When({ node, value, set, told, words }) {
  const [kind, ...rest] = value.split(":");
  const isCounted = COUNTED.includes(kind);
  const chosen = isCounted || kind === "day" ? kind : value;
  const [picked, setPicked] = useState(chosen);
  useEffect(() => {
    if (value) setPicked(chosen);
  }, [value]);
  const pick = (next) => {
    setPicked(next);
    if (COUNTED.includes(next)) set(`${next}:${isCounted ? rest[0] : 30}`);
    else if (next !== "day") set(next);
  };
  const known = node.options.some((o) => o.value === picked);
  return (
    <span className="cond-when">
      <select className="select" {...told} value={picked} onChange={(e) => pick(e.target.value)}>
        {!picked && <option value="">{words.choose}</option>}
        {picked && !known && <option value={picked}>{picked}</option>}
        {node.options.map((o) => (
          <option key={o.value} value={o.value}>{o.label}</option>
        ))}
      </select>
      {isCounted && picked === kind && (
        <Text value={rest[0] ?? ""} numeric short told={{ "aria-label": `${node.label}: ${words.days}` }} set={(v) => set(`${kind}:${v}`)} />
      )}
      {picked === "day" && (
        <Text
          type="date"
          value={kind === "day" ? rest.join(":") : ""}
          told={{ ...told, "aria-label": `${node.label}: ${words.day}` }}
          set={(v) => set(v ? `day:${v}` : "")}
        />
      )}
    </span>
  );
}

/* Several values as small marks, and a box to add one. */
function Several({ node, set, words, options, onSearch, describedBy }) {
  const value = Array.isArray(node.value) ? node.value : [];
  const label = `${node.label}: ${words.value}`;
  const nameOf = (v) => node.labels?.[v] ?? node.options.find((o) => o.value === v)?.label ?? v;
  const add = (v) => v && !value.includes(v) && set([...value, v]);
  const isFree = !["choice", "link"].includes(node.box);
  const left = (node.box === "link" ? (options[node.path] ?? node.options) : node.options).filter((o) => o.value && !value.includes(o.value));
  return (
    <span className="cond-several">
      {value.map((v) => (
        <span key={v} className="badge">
          <span className="clip">{nameOf(v)}</span>
          <button type="button" aria-label={`${words.remove} ${nameOf(v)}`} onClick={() => set(value.filter((x) => x !== v))}>
            <span aria-hidden="true">×</span>
          </button>
        </span>
      ))}
      {isFree ? (
        <Adding label={label} describedBy={describedBy} invalid={Boolean(node.error)} placeholder={words.add} onAdd={add} />
      ) : (
        <Combo
          key={value.length}
          label={label}
          value=""
          text=""
          options={left}
          placeholder={value.length ? words.add : words.choose}
          invalid={Boolean(node.error)}
          describedBy={describedBy}
          onSearch={node.box === "link" ? (text) => onSearch?.(node.path, text) : undefined}
          onPick={(v) => add(v)}
        />
      )}
    </span>
  );
}

function Adding({ label, describedBy, invalid, placeholder, onAdd }) {
  const [text, setText] = useState("");
  const take = () => {
    if (text.trim()) onAdd(text.trim());
    setText("");
  };
  return (
    <input
      className="input"
      aria-label={label}
      aria-describedby={describedBy}
      aria-invalid={invalid || undefined}
      placeholder={placeholder}
      autoComplete="off"
      value={text}
      onChange={(e) => setText(e.target.value)}
      onBlur={take}
      onKeyDown={(e) => {
        if (e.key !== "Enter") return;
        e.preventDefault();
        take();
      }}
    />
  );
}
