"""Edits of a condition as a document, for builders: each takes a tree and gives a new one.

A path is the tuple of child positions from the root: () is the root, (1, 0) the first child of the second child. The
one child of `not` and of a relation has position 0. A path that leads nowhere raises `Invalid`: the screen is behind.
"""

from dataclasses import replace
from typing import Any

from crm_app.core.conditions.tree import AllOf, AnyOf, Clause, Condition, Not, Related, children, parse_value
from crm_app.core.errors import Invalid

Path = tuple[int, ...]
_KEEP: Any = object()


def at(root: Condition, path: Path) -> Condition:
    node = root
    for step in path:
        inside = children(node)
        if not 0 <= step < len(inside):
            raise Invalid("This condition is no longer there; reload to see how it is now.")
        node = inside[step]
    return node


def put(root: Condition, path: Path, node: Condition) -> Condition:
    """The tree with `node` in the place of what stood at `path`."""
    if not path:
        return node
    parent = at(root, path[:-1])
    at(root, path)
    inside = children(parent)
    return put(root, path[:-1], _with(parent, (*inside[: path[-1]], node, *inside[path[-1] + 1 :])))


def add_clause(root: Condition, path: Path, node: Condition, index: int | None = None) -> Condition:
    """Put a clause, a group or a relation into the group at `path`, last or at `index`.

    Where something else than a group stands, an `all` is made around both.
    """
    group = at(root, path)
    if isinstance(group, Not | Related) and isinstance(group.item, AllOf | AnyOf):
        return add_clause(root, (*path, 0), node, index)
    if not isinstance(group, AllOf | AnyOf):
        return put(root, path, AllOf((group, node)))
    position = len(group.items) if index is None else max(0, min(index, len(group.items)))
    return put(root, path, _with(group, (*group.items[:position], node, *group.items[position:])))


def update_clause(root: Condition, path: Path, *, field: str = _KEEP, op: str = _KEEP, value: Any = _KEEP) -> Condition:
    """Change parts of a clause; `value` is JSON. A new field or operator keeps the value: `check` says if it fits."""
    clause = at(root, path)
    if not isinstance(clause, Clause):
        raise Invalid("Only a single condition has a field and a value; this is a group.")
    changes: dict[str, Any] = {k: v for k, v in (("field", field), ("op", op)) if v is not _KEEP}
    if value is not _KEEP:
        changes["value"] = parse_value(value)
    return put(root, path, replace(clause, **changes))


def update_relation(root: Condition, path: Path, *, relation: str = _KEEP, quantifier: str = _KEEP) -> Condition:
    """Change which relation is meant (its inner condition then starts anew) or how many must satisfy it."""
    node = at(root, path)
    if not isinstance(node, Related):
        raise Invalid("This is not a condition on related records.")
    if quantifier is not _KEEP:
        node = replace(node, quantifier=quantifier)
    if relation is not _KEEP and relation != node.relation:
        node = replace(node, relation=relation, item=AllOf())
    return put(root, path, node)


def remove(root: Condition, path: Path) -> Condition:
    """Without the node. Groups and negations left empty go too; a relation stays, then meaning "has any at all"."""
    if not path:
        return AllOf()
    parent = at(root, path[:-1])
    at(root, path)
    if isinstance(parent, Related):
        return put(root, path, AllOf())
    left = tuple(c for n, c in enumerate(children(parent)) if n != path[-1])
    if left:
        return put(root, path[:-1], _with(parent, left))
    return remove(root, path[:-1])


def wrap_in_all(root: Condition, path: Path) -> Condition:
    return put(root, path, AllOf((at(root, path),)))


def wrap_in_any(root: Condition, path: Path) -> Condition:
    return put(root, path, AnyOf((at(root, path),)))


def wrap_in_not(root: Condition, path: Path) -> Condition:
    """Negate; what is already a negation loses it."""
    node = at(root, path)
    return put(root, path, node.item if isinstance(node, Not) else Not(node))


def switch_group(root: Condition, path: Path) -> Condition:
    """`all` becomes `any` and the other way round."""
    node = at(root, path)
    if not isinstance(node, AllOf | AnyOf):
        raise Invalid("Only a group can be switched between 'all of' and 'any of'.")
    return put(root, path, AnyOf(node.items) if isinstance(node, AllOf) else AllOf(node.items))


def unwrap(root: Condition, path: Path) -> Condition:
    """Dissolve a group or a negation: its children take its place in the group around it."""
    node = at(root, path)
    if isinstance(node, Clause | Related):
        raise Invalid("Only a group or a negation can be dissolved.")
    inside = children(node)
    if not inside:
        return remove(root, path)
    if len(inside) == 1:
        return put(root, path, inside[0])
    parent = at(root, path[:-1]) if path else None
    if not isinstance(parent, AllOf | AnyOf):
        raise Invalid("This group holds several conditions and nothing around it could take them; remove some first.")
    around, here = parent.items, path[-1]
    return put(root, path[:-1], _with(parent, (*around[:here], *inside, *around[here + 1 :])))


def move(root: Condition, source: Path, target: Path, index: int | None = None) -> Condition:
    """Take the node at `source` into the group at `target`, before the child that now has `index` (last when None).

    Both paths and `index` are as on screen before the move. Groups left empty stay until they are removed.
    """
    if target[: len(source)] == source:
        raise Invalid("A group cannot be moved into itself.")
    node, goal = at(root, source), at(root, target)
    if not isinstance(goal, AllOf | AnyOf):
        raise Invalid("A condition can only be moved into a group.")
    parent, here = source[:-1], source[-1]
    holder = at(root, parent)
    if isinstance(holder, Not | Related):
        raise Invalid("Move the whole negation or relation, or dissolve it first.")
    if target == parent:
        items = [i for n, i in enumerate(children(goal)) if n != here]
        place = len(items) if index is None else index - (index > here)
        items.insert(max(0, place), node)
        return put(root, target, _with(goal, tuple(items)))
    root = put(root, parent, _with(holder, tuple(i for n, i in enumerate(children(holder)) if n != here)))
    if target[: len(parent)] == parent and target[len(parent)] > here:
        target = (*parent, target[len(parent)] - 1, *target[len(parent) + 1 :])
    return add_clause(root, target, node, index)


def boxed(node: Condition) -> Condition:
    """The same condition as a builder shows it: the root, what is negated and what is asked of related records are
    groups, so that a condition can be added to each."""
    return _box(node)


def plain(node: Condition) -> Condition:
    """The same condition without groups of one and without empty groups: as it is kept and told."""
    match node:
        case AllOf(items) | AnyOf(items):
            inside = tuple(k for k in map(plain, items) if k not in (AllOf(), AnyOf(), Not(AllOf()), Not(AnyOf())))
            return inside[0] if len(inside) == 1 else _with(node, inside) if inside else AllOf()
        case Not(item):
            return Not(plain(item)) if plain(item) != AllOf() else AllOf()
        case Related(item=item):
            return replace(node, item=plain(item))
    return node


def _box(node: Condition) -> Condition:
    match node:
        case AllOf(items) | AnyOf(items):
            return _with(node, tuple(map(_inside, items)))
        case Not(AllOf() | AnyOf() as item):
            return Not(_box(item))
        case Not():
            return _inside(node)
    return AllOf((_inside(node),))


def _inside(node: Condition) -> Condition:
    match node:
        case AllOf() | AnyOf() | Not(AllOf() | AnyOf()):
            return _box(node)
        case Not(item):
            return Not(AnyOf((_inside(item),)))
        case Related(item=item):
            return replace(node, item=_box(item))
    return node


def _with(node: Condition, inside: tuple[Condition, ...]) -> Condition:
    match node:
        case AllOf():
            return AllOf(inside)
        case AnyOf():
            return AnyOf(inside)
        case Not() | Related():
            return replace(node, item=inside[0])
    raise Invalid("A single condition holds no others.")
