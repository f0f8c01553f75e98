"""Say no when a condition is saved, so that a saved condition can always run."""

from crm_app.core.conditions.names import Names
from crm_app.core.conditions.operators import OPERATORS
from crm_app.core.conditions.resolve import check_value
from crm_app.core.conditions.tree import AnyOf, Clause, Condition, Related, children
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity


def check(
    condition: Condition,
    entity: Entity,
    *,
    hidden: frozenset[str] = frozenset(),
    trigger: bool = False,
) -> None:
    """`Invalid` names the field and the remedy. `trigger` allows `changed` and `changed_to` on the record itself."""
    _check(condition, entity, Names(hidden), trigger)


def _check(node: Condition, entity: Entity, names: Names, trigger: bool) -> None:
    match node:
        case Clause(field=name, op=op):
            spec = names.field(entity, name)
            try:
                check_value(spec, node)
                if OPERATORS[op].trigger and not trigger:
                    raise Invalid(f"'{op}' compares with the record before a change; it works in triggers only")
            except Invalid as error:
                raise Invalid(**{name: str(error)}) from error
        case Related(relation=name, item=item):
            _, other = names.relation(entity, name)
            _check(item, other, names, trigger=False)
        case AnyOf(items=()):
            raise Invalid("A group 'any of' is empty, so nothing could match: add a condition to it or remove it.")
        case _:
            for child in children(node):
                _check(child, entity, names, trigger)
