"""A condition as a builder draws it, and what a person does to it. What kit.condition_builder gets and tells.

A draft is a condition as core.conditions.edit.boxed gives it, of which single comparisons may still lack a value or
hold one that cannot be read; `valid` is the part of it that can run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm_app.core import conditions
from crm_app.core.conditions import AllOf, AnyOf, Clause, Condition, Names, Not, Related, edit
from crm_app.core.conditions.operators import operators_for, words
from crm_app.core.conditions.tree import QUANTIFIERS
from crm_app.core.context import Actor
from crm_app.core.errors import Forbidden, Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind, relations
from crm_app.core.text import label_of
from crm_app.services.platform import lists
from crm_app.state.platform import condition_values as values
from crm_app.store.uow import UnitOfWork

MOST_HOPS = 2  # relations from the record itself to what is asked about
RELATION = "@"  # before the name of a relation where a field is chosen
_LEFT_OUT = frozenset({"id", "version"})
_USUAL = {
    Kind.choice: "in", Kind.link: "in", Kind.choices: "has_any", Kind.flag: "eq", Kind.date: "in_last_days",
    Kind.datetime: "in_last_days",
}  # fmt: skip
_MANY = (("some", "at least one"), ("none", "none"), ("every", "every one"))
_ONE = (("some", "matches"), ("none", "does not match"))
JOINS = ("all", "any", "none", "not_all")


@dataclass(frozen=True)
class Ground:
    """What a builder may offer this actor: the entities within reach by name, and what is known of their fields."""

    entity: Entity
    actor: Actor
    within: Mapping[str, Entity]

    @property
    def names(self) -> Names:
        return Names(self.hidden)

    @property
    def hidden(self) -> frozenset[str]:
        """What the role may not compare with: what it does not see, and what it sees masked."""
        return self.actor.hidden_fields | self.actor.masked_fields


async def ground(uow: UnitOfWork, entity: Entity) -> Ground:
    """Everything within reach of the entity that this actor may read."""
    within, edge = {entity.name: entity}, [entity]
    for _ in range(MOST_HOPS):
        found = {r.entity for e in edge for r in relations(e).values()} - set(within)
        edge = [e for name in sorted(found) if (e := await _readable(uow, name)) is not None]
        within |= {e.name: e for e in edge}
    return Ground(entity, uow.actor, within)


async def _readable(uow: UnitOfWork, name: str) -> Entity | None:
    try:
        return await lists.entity_of(uow, name)
    except Forbidden:
        return None


def offered(where: Ground) -> dict[str, list[dict[str, str]]]:
    """The fields of every entity by its name, and under "@<name>" its relations, as choices."""
    hidden, found = where.hidden, {}
    for name, entity in where.within.items():
        fields = [
            {"value": n, "label": s.label, "hint": ""}
            for n, s in where.names.fields(entity).items()
            if n not in _LEFT_OUT and operators_for(s.kind)
        ]
        found[name] = sorted(fields, key=lambda f: f["label"].lower())
        found[RELATION + name] = [
            {"value": RELATION + r.name, "label": _relation_label(entity, r.name), "hint": "related"}
            for r in relations(entity).values()
            if r.entity in where.within and f"{name}.{r.link}" not in hidden
        ]
    return found


def _relation_label(entity: Entity, name: str) -> str:
    relation = relations(entity)[name]
    return label_of(name) if relation.many else entity.fields[relation.link].label


@dataclass(frozen=True)
class Drawing:
    """Draws a draft; `titles` are those of linked records by id, `strict` tells what is missing as well."""

    ground: Ground
    titles: Mapping[str, str]
    strict: bool = False

    def node(self, node: Condition, entity: Entity, path: edit.Path = (), hops: int = 0) -> dict[str, Any]:
        match node:
            case Clause():
                return self.clause(node, entity, path, hops)
            case Related():
                return self.related(node, entity, path, hops)
            case Not(item):
                join, inner, at = ("none" if isinstance(item, AnyOf) else "not_all"), item, (*path, 0)
            case _:
                join, inner, at = ("any" if isinstance(node, AnyOf) else "all"), node, path
        items = inner.items if isinstance(inner, AllOf | AnyOf) else ()
        return _at(path, hops, entity) | {
            "kind": "group",
            "join": join,
            "items": [self.node(i, entity, (*at, n), hops) for n, i in enumerate(items)],
        }

    def related(self, node: Related, entity: Entity, path: edit.Path, hops: int) -> dict[str, Any]:
        drawn = _at(path, hops, entity) | {"kind": "relation", "field": RELATION + node.relation}
        relation = relations(entity).get(node.relation)
        other = self.ground.within.get(relation.entity) if relation else None
        if relation is None or other is None:
            return drawn | {"label": label_of(node.relation), "error": "This relation is no longer there."}
        ways = _MANY if relation.many else _ONE
        return drawn | {
            "label": _relation_label(entity, node.relation),
            "how": node.quantifier,
            "ways": [{"value": v, "label": w} for v, w in ways],
            "group": self.node(node.item, other, (*path, 0), hops + 1),
        }

    def clause(self, node: Clause, entity: Entity, path: edit.Path, hops: int) -> dict[str, Any]:
        drawn = _at(path, hops, entity) | {"kind": "clause", "field": node.field}
        try:
            spec = self.ground.names.field(entity, node.field)
        except Invalid:
            label = label_of(node.field.removeprefix("custom."))
            return drawn | {"label": label, "ops": [], "box": "none", "error": "This field is no longer there."}
        wrong = values.wrong(spec, node)
        is_given = node.value not in (None, "", (), ("", ""))
        return drawn | {
            "label": spec.label,
            "op": values.op_of(node),
            "ops": _ops(spec),
            "error": wrong if wrong and (self.strict or is_given) else "",
            "counted": not wrong,
            **values.box_of(spec, node, self.ground.actor, self.titles),
        }


def _at(path: edit.Path, hops: int, entity: Entity) -> dict[str, Any]:
    """`leads`: whether relations may still be gone along from here."""
    return {"path": ".".join(map(str, path)), "of": entity.name, "label": "", "error": "", "leads": hops < MOST_HOPS}


def _ops(spec: FieldSpec) -> list[dict[str, str]]:
    found = [{"value": o.name, "label": words(spec.kind, o.name)} for o in operators_for(spec.kind)]
    if spec.kind in (Kind.date, Kind.datetime):
        found.insert(0, {"value": values.WITHIN, "label": "is in"})
    return found


def valid(draft: Condition, where: Ground) -> Condition:
    """Without the comparisons that are not ready, and without what they leave empty."""
    return edit.plain(_kept(draft, where.entity, where) or AllOf())


def _kept(node: Condition, entity: Entity, where: Ground) -> Condition | None:
    match node:
        case Clause():
            return node if not _unready(node, entity, where) else None
        case AllOf(items) | AnyOf(items):
            kept = tuple(k for i in items if (k := _kept(i, entity, where)) is not None)
            return (AllOf(kept) if isinstance(node, AllOf) else AnyOf(kept)) if kept or not items else None
        case Not(item):
            inner = _kept(item, entity, where)
            return Not(inner) if inner is not None else None
        case Related(relation, quantifier, item):
            other = _other(entity, relation, where)
            inner = _kept(item, other, where) if other else None
            return Related(relation, quantifier, inner) if inner is not None else None


def is_ready(draft: Condition, where: Ground) -> bool:
    """Whether nothing in it waits for a value."""
    return _kept_all(draft, where.entity, where)


def _kept_all(node: Condition, entity: Entity, where: Ground) -> bool:
    match node:
        case Clause():
            return not _unready(node, entity, where)
        case AllOf(items) | AnyOf(items):
            return all(_kept_all(i, entity, where) for i in items)
        case Not(item):
            return _kept_all(item, entity, where)
        case Related(relation, _, item):
            other = _other(entity, relation, where)
            return other is not None and _kept_all(item, other, where)


def _other(entity: Entity, relation: str, where: Ground) -> Entity | None:
    found = relations(entity).get(relation)
    return where.within.get(found.entity) if found else None


def _unready(node: Clause, entity: Entity, where: Ground) -> bool:
    try:
        spec = where.names.field(entity, node.field)
        conditions.check(node, entity, hidden=where.hidden)
    except Invalid:
        return True
    return bool(values.wrong(spec, node))


def entity_at(root: Condition, path: edit.Path, where: Ground) -> Entity:
    """Whose fields the node at `path` is about."""
    entity, node = where.entity, root
    for step in path:
        if isinstance(node, Related):
            other = _other(entity, node.relation, where)
            if other is None:
                raise Invalid("This relation is no longer there.")
            entity = other
        node = edit.at(node, (step,))
    return entity


def fresh_clause(entity: Entity, name: str = "") -> Clause:
    """A comparison that still waits for its value."""
    name = name or entity.title
    spec = Names().field(entity, name)
    ops = [o.name for o in operators_for(spec.kind)]
    usual = _USUAL.get(spec.kind, "contains" if "contains" in ops else "gte" if "gte" in ops else ops[0])
    return Clause(name, usual, True if spec.kind is Kind.flag else None)


def act(root: Condition, where: Ground, deed: Mapping[str, Any]) -> Condition:
    """The draft after what a person did: {"do", "path", "value"}. Invalid when the screen is behind."""
    path = path_of(deed.get("path", ""))
    hand = _Hand(root, path, where, entity_at(root, path, where))
    done = _DEEDS.get(str(deed.get("do", "")))
    if done is None:
        raise Invalid("This cannot be done to a condition.")
    return done(hand, deed.get("value", ""))


def path_of(text: Any) -> edit.Path:
    """ "0.1" -> (0, 1). Invalid when it is none."""
    try:
        return tuple(int(step) for step in str(text).split(".") if step != "")[:20]
    except ValueError:
        raise Invalid("This condition is no longer there; reload to see how it is now.") from None


@dataclass(frozen=True, slots=True)
class _Hand:
    """One deed of a person at one place of a draft; `entity` is whose fields stand there."""

    root: Condition
    path: edit.Path
    where: Ground
    entity: Entity

    @property
    def now(self) -> Condition:
        return edit.at(self.root, self.path)

    def put(self, node: Condition) -> Condition:
        return edit.put(self.root, self.path, node)

    def clause(self) -> tuple[Clause, FieldSpec]:
        now = self.now
        if not isinstance(now, Clause):
            raise Invalid("Only a single comparison has an operator and a value.")
        return now, self.where.names.field(self.entity, now.field)

    def add(self, value: Any) -> Condition:
        inside = (*self.path, 0) if isinstance(self.now, Related) else self.path
        clause = fresh_clause(entity_at(self.root, inside, self.where))
        return edit.add_clause(self.root, self.path, AnyOf((clause,)) if value == "group" else clause)

    def field(self, value: Any) -> Condition:
        name = str(value)
        if name.startswith(RELATION):
            relation = name.removeprefix(RELATION)
            if (other := _other(self.entity, relation, self.where)) is None:
                raise Invalid("There is no such relation.")
            return self.put(Related(relation, "some", AllOf((fresh_clause(other),))))
        fresh, now = fresh_clause(self.entity, name), self.now
        spec = self.where.names.field(self.entity, name)
        if isinstance(now, Clause) and now.value is not None and not values.is_choosing(spec):
            kept = Clause(name, now.op, now.value)
            fresh = fresh if values.wrong(spec, kept) else kept
        return self.put(fresh)

    def op(self, value: Any) -> Condition:
        clause, spec = self.clause()
        return self.put(values.with_op(spec, clause, str(value)))

    def value(self, value: Any) -> Condition:
        clause, spec = self.clause()
        return self.put(Clause(clause.field, clause.op, values.read(spec, clause.op, value, self.where.actor)))

    def join(self, value: Any) -> Condition:
        now = self.now
        inner = now.item if isinstance(now, Not) else now
        if value not in JOINS or not isinstance(inner, AllOf | AnyOf):
            raise Invalid("Only a group has such a word.")
        group = AnyOf(inner.items) if value in ("any", "none") else AllOf(inner.items)
        return self.put(Not(group) if value in ("none", "not_all") else group)

    def how(self, value: Any) -> Condition:
        if value not in QUANTIFIERS:
            raise Invalid("There is no such word.")
        return edit.update_relation(self.root, self.path, quantifier=str(value))

    def keep(self, _: Any) -> Condition:
        """As it is: a page that came back tells what it shows."""
        return self.root

    def remove(self, _: Any) -> Condition:
        return edit.boxed(edit.remove(self.root, self.path))


_DEEDS: dict[str, Callable[[_Hand, Any], Condition]] = {
    "add": _Hand.add, "keep": _Hand.keep, "field": _Hand.field, "op": _Hand.op, "value": _Hand.value,
    "join": _Hand.join, "how": _Hand.how, "remove": _Hand.remove,
}  # fmt: skip


async def titles(uow: UnitOfWork, where: Ground, draft: Condition) -> dict[str, str]:
    """The titles of the records that a condition names, by id."""
    return {str(k): v for k, v in (await lists.titles_in(uow, where.entity, draft)).items()}


def name_of(titles: Mapping[UUID, str] | Mapping[str, str]) -> Callable[[FieldSpec, Any], str]:
    """For `explain`: what a linked record is called."""
    known = {str(k): v for k, v in titles.items()}
    return lambda spec, value: known.get(str(value), "") if spec.kind is Kind.link else ""
