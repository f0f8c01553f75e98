import { useEffect, useRef } from "react";
import { Combo } from "./combo.jsx";
import { useReturn } from "./connection.jsx";
import { Value } from "./condition_value.jsx";

const Icon = ({ d }) => (
  <svg className="i i16" viewBox="0 0 16 16" aria-hidden="true">
    <path d={d} />
  </svg>
);

const BOXES = "input:not([type=hidden]), select, button";

/* A condition as a person builds it: groups in groups, comparisons, related records. It draws what Python holds and tells
   each deed: {do, path, value, memory}. Text that is being typed stays here until the hand rests. */
export function ConditionBuilder({
  label, tree, fields = {}, options = {}, focus = "", memory = "", icons = {}, words = {}, onEdit, onSearch,
}) {
  const box = useRef(null);
  const wanted = useRef("");

  const tell = (deed) => onEdit?.({ ...deed, memory });
  // the first box of a row, or what adds to a group that is left empty
  const enter = (path) => {
    const row = box.current?.querySelector(`[data-cond="${path}"]`);
    const at = row?.querySelector(".cond-value :is(input, select, button)") ?? row?.querySelector(BOXES);
    at?.focus();
    return Boolean(at) && document.activeElement === at;
  };
  useEffect(() => {
    if (focus) wanted.current = focus.split(" ")[0];
  }, [focus]);
  // a frame later: the panel around it may open only now
  useEffect(() => {
    if (!wanted.current) return undefined;
    const frame = requestAnimationFrame(() => {
      if (enter(wanted.current)) wanted.current = "";
    });
    return () => cancelAnimationFrame(frame);
  });
  // the server may have started anew meanwhile: it is told what stands here, before anything else is done with it
  useReturn(() => memory && tell({ do: "keep", path: "" }));
  const add = (group, value) => {
    const at = group.kind === "group" ? group.items.length : 0;
    const inside = group.join === "none" || group.join === "not_all" ? "0." : "";
    wanted.current = `${group.path ? `${group.path}.` : ""}${inside}${at}`;
    tell({ do: "add", path: group.path, value });
  };
  const remove = (node) => {
    wanted.current = "";
    tell({ do: "remove", path: node.path });
    box.current?.querySelector("[data-add]")?.focus();
  };
  const shared = { fields, options, icons, words, tell, add, remove, onSearch };
  if (!tree?.kind) return null;
  return (
    <div className="cond" ref={box} role="group" aria-label={label}>
      <Node node={tree} root {...shared} />
    </div>
  );
}

function Node(props) {
  if (props.node.kind === "group") return <Group {...props} />;
  return props.node.kind === "relation" ? <Relation {...props} /> : <Clause {...props} />;
}

function Drop({ node, label, icons, words, remove }) {
  return (
    <button type="button" className="icon-btn cond-drop" aria-label={`${words.remove} ${label}`} onClick={() => remove(node)}>
      <Icon d={icons.dismiss} />
    </button>
  );
}

function Group({ node, root, inner, ...on }) {
  const { words, tell, icons, add } = on;
  return (
    <div className={`cond-group ${root ? "root" : ""} join-${node.join}`} role="group" aria-label={words.joins[node.join]}>
      <div className="cond-head">
        <select
          className="select"
          aria-label={words.join}
          value={node.join}
          onChange={(e) => tell({ do: "join", path: node.path, value: e.target.value })}
        >
          {Object.entries(words.joins).map(([value, text]) => (
            <option key={value} value={value}>{text}</option>
          ))}
        </select>
        {!root && !inner && <Drop node={node} label={words.group} {...on} />}
      </div>
      <ul className="cond-items">
        {node.items.map((item) => (
          <li key={`${item.path}:${item.kind}:${item.field ?? ""}`} data-cond={item.path}>
            <Node node={item} {...on} />
          </li>
        ))}
      </ul>
      <div className="cond-add line">
        <button type="button" className="btn ghost sm" data-add="" onClick={() => add(node, "condition")}>
          <Icon d={icons.add} /> {words.condition}
        </button>
        <button type="button" className="btn ghost sm" onClick={() => add(node, "group")}>
          <Icon d={icons.group} /> {words.group}
        </button>
      </div>
    </div>
  );
}

function Field({ node, fields, words, tell }) {
  const own = fields[node.of] ?? [];
  const related = node.leads ? (fields[`@${node.of}`] ?? []) : [];
  return (
    <Combo
      label={words.field}
      value={node.field}
      text={node.label}
      options={[...own, ...related]}
      required
      onPick={(value) => value !== node.field && tell({ do: "field", path: node.path, value })}
    />
  );
}

function Clause({ node, ...on }) {
  const { words, tell } = on;
  const error = `cond-error-${node.path}`;
  return (
    <div className="cond-row" data-cond={node.path}>
      <Field node={node} {...on} />
      <select
        className="select"
        aria-label={`${node.label}: ${words.op}`}
        value={node.op ?? ""}
        onChange={(e) => tell({ do: "op", path: node.path, value: e.target.value })}
      >
        {(node.ops ?? []).map((o) => (
          <option key={o.value} value={o.value}>{o.label}</option>
        ))}
      </select>
      <div className="cond-value">
        <Value node={node} describedBy={error} {...on} />
        {node.error && <p className="error" id={error}>{node.error}</p>}
      </div>
      <Drop node={node} label={node.label} {...on} />
    </div>
  );
}

function Relation({ node, ...on }) {
  const { words, tell } = on;
  return (
    <div className="cond-relation">
      <div className="cond-row">
        <Field node={node} {...on} />
        <select
          className="select"
          aria-label={`${node.label}: ${words.how}`}
          value={node.how ?? "some"}
          onChange={(e) => tell({ do: "how", path: node.path, value: e.target.value })}
        >
          {(node.ways ?? []).map((w) => (
            <option key={w.value} value={w.value}>{w.label}</option>
          ))}
        </select>
        <div className="cond-value muted">{node.error ? <p className="error">{node.error}</p> : words.where}</div>
        <Drop node={node} label={node.label} {...on} />
      </div>
      {node.group && <Group node={node.group} inner {...on} />}
    </div>
  );
}
