"""Many rows changed by one statement."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from crm_app.store.ready import Ready, array


def update_each(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> sa.Update:
    """Rows found by their `id`, each with values of its own; all must name the same columns.

    One statement runs triggers once, so that totals kept by them are locked in one order: two people who each change
    several deals wait for one another instead of blocking each other.
    """
    names = [n for n in rows[0] if n != "id"]
    if len(rows) == 1:
        return sa.update(table).where(table.c.id == rows[0]["id"]).values({n: rows[0][n] for n in names})
    given = sa.values(*(sa.column(n, table.c[n].type) for n in ("id", *names)), name="given")
    given = given.data([tuple(row[n] for n in ("id", *names)) for row in rows])
    typed = {n: sa.cast(given.c[n], table.c[n].type) for n in names}  # a column of nothing but NULLs has no type
    return sa.update(table).where(table.c.id == given.c.id).values(typed)


@cache
def ready_update(table: sa.Table, names: tuple[str, ...], *, several: bool) -> Ready:
    """As `update_each`, compiled once: `values_of` turns the rows into its values."""
    if not several:
        return Ready(sa.update(table).where(table.c.id == sa.bindparam("row_id", type_=sa.Uuid())), writes=names)
    columns = ["id", *names]
    arrays = [array(f"all_{n}", table.c[n].type) for n in columns]
    named = [sa.column(n, table.c[n].type) for n in columns]
    given = sa.func.unnest(*arrays).table_valued(*named).render_derived(name="given")
    return Ready(sa.update(table).where(table.c.id == given.c.id).values({n: given.c[n] for n in names}), writes=())


def values_of(rows: Sequence[Mapping[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    if len(rows) == 1:
        return {"row_id": rows[0]["id"], **{n: rows[0][n] for n in names}}
    return {f"all_{n}": [row[n] for row in rows] for n in ("id", *names)}
