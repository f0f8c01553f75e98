"""One condition language for filters, views, segments, workflows, scoring and reports.

A JSON tree: {"all": [..]}, {"any": [..]}, {"not": ..}, {"field": "amount_minor", "op": "gt", "value": 1000000},
{"related": "activities", "none": {..}}. `check` when it is saved, `to_sql` and `matches` to run it (they agree, proved
by test), `explain` to tell it, `edit` to build it.

Meaning, decided once. An empty field (NULL, empty text, empty list) satisfies no comparison, `ne` and `not_in`
included; only `is_empty` sees it; `not` is a plain negation. Text compares without regard to case, letter by letter
(core.text.lower); accents count. Days of a moment are days where the viewer lives.
Money compares minor units whatever the currency.
"""

from crm_app.core.conditions import edit
from crm_app.core.conditions.check import check
from crm_app.core.conditions.explain import explain, explain_clause
from crm_app.core.conditions.matches import matches
from crm_app.core.conditions.names import Names
from crm_app.core.conditions.operators import OPERATORS, Operator, Takes, operators_for
from crm_app.core.conditions.resolve import EvalContext
from crm_app.core.conditions.to_sql import to_sql
from crm_app.core.conditions.tree import AllOf, AnyOf, Clause, Condition, Not, Related, Token, dump, parse, uses

__all__ = [
    "OPERATORS",
    "AllOf",
    "AnyOf",
    "Clause",
    "Condition",
    "EvalContext",
    "Names",
    "Not",
    "Operator",
    "Related",
    "Takes",
    "Token",
    "check",
    "dump",
    "edit",
    "explain",
    "explain_clause",
    "matches",
    "operators_for",
    "parse",
    "to_sql",
    "uses",
]
