"""Formulas over the fields of one record, as admins write them: `{Amount} * {Probability} / 100`.

A small language of its own: numbers, texts in quotes, days, yes and no; fields in braces; + - * / & (joins texts),
= <> < <= > >=, and, or, not; the functions of FUNCTIONS. Nothing in it can reach anything but the values handed to it,
loop, or grow without bound: length and depth are limited.

What is empty stays empty through arithmetic, and satisfies no comparison, as in conditions. A formula is worked out
for one record (`value`) or in a query (`sql`), with the same result.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NoReturn

from crm_app.core.formula_functions import FUNCTIONS
from crm_app.core.formula_parts import (
    TODAY,
    Column,
    FormulaError,
    Node,
    Type,
    add,
    both,
    bounded,
    bounded_sql,
    column,
    comparison,
    constant,
    either,
    join,
    literal,
    negative,
    neither,
    product,
    truth,
)

LONGEST = 1000
_DEEPEST = 40
_MOST_TOKENS = 250
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>\"[^\"]*\"|'[^']*')|\{(?P<field>[^{}]*)\}|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|<>|!=|==|[-+*/&=<>(),;]))"
)


@dataclass(frozen=True, slots=True)
class Formula:
    text: str
    type: Type
    fields: frozenset[str]
    _root: Node

    def value(self, values: Mapping[str, Any], today: date) -> Any:
        """Of a record: Decimal, str, date, bool, or None where it is empty or cannot be worked out."""
        return bounded(self._root.evaluate({**values, TODAY: today}))

    def sql(self, columns: Mapping[str, Column], today: date) -> Column:
        """The same for every row of a query: numeric, text, date, boolean, or NULL. `columns` hold numeric, text
        without empty ones, date and boolean."""
        return column(self.type, bounded_sql(self._root, {**columns, TODAY: literal(Type.day, today)}))


def names_in(text: str) -> list[str]:
    """What stands in braces, in order."""
    return [m.strip() for m in re.findall(r"\{([^{}]*)\}", _without_texts(text))]


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The formula with other names in the braces; those that are not known stay."""
    pieces = re.split(r"(\"[^\"]*\"|'[^']*')", text)
    swap = re.compile(r"\{([^{}]*)\}")
    pieces[::2] = [swap.sub(lambda m: "{" + names.get(m[1].strip(), m[1]) + "}", p) for p in pieces[::2]]
    return "".join(pieces)


def _without_texts(text: str) -> str:
    return re.sub(r"\"[^\"]*\"|'[^']*'", '""', text)


def compile_formula(text: str, fields: Mapping[str, Type]) -> Formula:
    """FormulaError says where and why it cannot be worked out. `fields`: name in the braces -> what it holds."""
    if len(text) > LONGEST:
        raise FormulaError(f"is too long: {len(text)} characters, at most {LONGEST}")
    parser = _Parser(text, fields)
    root = parser.whole()
    return Formula(text, root.type, frozenset(parser.used), root)


class _Parser:
    """Recursive descent; each level of binding is a method."""

    def __init__(self, text: str, fields: Mapping[str, Type]) -> None:
        self.fields, self.used, self.depth = fields, set[str](), 0
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                rest = text[at:].strip()[:10]
                raise FormulaError(f"cannot be read at “{rest}”; fields stand in braces, texts in quotes")
            kind = found.lastgroup or ""
            self.tokens.append((kind, found[kind]))
            at = found.end()
        if len(self.tokens) > _MOST_TOKENS:
            raise FormulaError(f"has more than {_MOST_TOKENS} parts; split it into several fields")
        self.tokens.append(("end", ""))
        self.at = 0

    def whole(self) -> Node:
        if self.tokens[0][0] == "end":
            raise FormulaError("is empty; write something like {Amount} * 2")
        node = self.choice()
        if self.tokens[self.at][0] != "end":
            self.unexpected()
        return node

    def unexpected(self) -> NoReturn:
        kind, text = self.tokens[self.at]
        raise FormulaError("ends too early" if kind == "end" else f"is not understood at “{text}”")

    def taken(self, *signs: str) -> str:
        """The sign or word that stands here, if it is one of these; else an empty text."""
        kind, text = self.tokens[self.at]
        if kind in ("sign", "word") and text.lower() in signs:
            self.at += 1
            return text.lower()
        return ""

    def must(self, sign: str) -> None:
        if not self.taken(sign):
            kind, text = self.tokens[self.at]
            raise FormulaError(f"needs “{sign}” " + ("at its end" if kind == "end" else f"before “{text}”"))

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError(f"is nested more than {_DEEPEST} levels deep")
        left = self.both()
        while self.taken("or"):
            left = either(truth(left, "or"), truth(self.both(), "or"))
        self.depth -= 1
        return left

    def both(self) -> Node:
        left = self.negated()
        while self.taken("and"):
            left = both(truth(left, "and"), truth(self.negated(), "and"))
        return left

    def negated(self) -> Node:
        times = 0
        while self.taken("not"):
            times += 1
        node = self.compared()
        if not times:
            return node
        inner = truth(node, "not")
        return inner if times % 2 == 0 else neither(inner)

    def compared(self) -> Node:
        left = self.joined()
        if sign := self.taken("=", "==", "<>", "!=", "<", "<=", ">", ">="):
            return comparison(sign, left, self.joined())
        return left

    def joined(self) -> Node:
        left = self.summed()
        while self.taken("&"):
            left = join(left, self.summed())
        return left

    def summed(self) -> Node:
        left = self.multiplied()
        while sign := self.taken("+", "-"):
            left = add(sign, left, self.multiplied())
        return left

    def multiplied(self) -> Node:
        left = self.signed()
        while sign := self.taken("*", "/"):
            left = product(sign, left, self.signed())
        return left

    def signed(self) -> Node:
        is_minus = False
        while sign := self.taken("-", "+"):
            is_minus ^= sign == "-"
        node = self.single()
        return negative(node) if is_minus else node

    def single(self) -> Node:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return constant(Type.number, Decimal(text))
        if kind == "text":
            return constant(Type.text, text[1:-1])
        if kind == "field":
            return self.field(text.strip())
        if kind == "word":
            return self.word(text.lower())
        if text == "(":
            inner = self.choice()
            self.must(")")
            return inner
        self.at -= 1
        return self.unexpected()

    def field(self, name: str) -> Node:
        if name not in self.fields:
            raise FormulaError(f"names {{{name}}}, which is no field of this record that can be worked with")
        self.used.add(name)
        return Node(self.fields[name], lambda values: values.get(name), lambda columns: (columns[name],))

    def word(self, word: str) -> Node:
        if word in ("true", "yes", "false", "no"):
            return constant(Type.truth, word in ("true", "yes"))
        if word not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise FormulaError(f"uses “{word}”; fields stand in braces, and the functions are {known}")
        self.must("(")
        given: list[Node] = []
        while not self.taken(")"):
            if given and not self.taken(",", ";"):
                self.must(",")
            given.append(self.choice())
        return FUNCTIONS[word](word, given)
