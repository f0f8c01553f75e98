"""What must be true of all deals of a workspace at any moment, read straight from the tables."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.store.uow import unit_of_work

_KEPT = sa.text("""
    SELECT stage_id, owner_id, currency, health, deals, amount_minor, weighted_minor FROM stage_total
    WHERE (deals, amount_minor, weighted_minor) <> (0, 0, 0)
""")
_COUNTED = sa.text("""
    SELECT stage_id, owner_id, currency, health, count(*) AS deals, sum(amount_minor)::bigint AS amount_minor,
           sum(amount_minor * probability / 100)::bigint AS weighted_minor
    FROM opportunity WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4
""")
# Deals whose stays do not follow one another from the first day, or whose last stay is not where the deal stands.
_TORN = sa.text("""
    WITH stays AS (
      SELECT opportunity_id, stage_id, entered_at, left_at, from_stage_id,
             lag(left_at) OVER w AS before, lag(stage_id) OVER w AS stage_before, row_number() OVER w AS n
      FROM stage_history WINDOW w AS (PARTITION BY opportunity_id ORDER BY entered_at, left_at NULLS LAST)
    )
    SELECT o.name, o.id FROM opportunity o WHERE
      (SELECT count(*) FROM stays s WHERE s.opportunity_id = o.id AND s.left_at IS NULL) <> 1
      OR NOT EXISTS (SELECT FROM stays s WHERE s.opportunity_id = o.id AND s.left_at IS NULL
                     AND s.stage_id = o.stage_id AND s.entered_at = o.stage_entered_at)
      OR EXISTS (SELECT FROM stays s WHERE s.opportunity_id = o.id AND s.n > 1
                 AND s.before IS DISTINCT FROM s.entered_at)
      OR EXISTS (SELECT FROM stays s WHERE s.opportunity_id = o.id AND s.left_at < s.entered_at)
""")
# Deals whose status, stage, pipeline and closing day tell different stories.
_ODD = sa.text("""
    SELECT o.name, o.status, s.kind FROM opportunity o JOIN stage s ON s.tenant_id = o.tenant_id AND s.id = o.stage_id
    WHERE o.status <> s.kind OR o.pipeline_id <> s.pipeline_id OR (o.status = 'open') <> (o.actual_close_on IS NULL)
      OR (o.status = 'won' AND o.probability <> 100) OR (o.status = 'lost' AND o.probability <> 0)
      OR (o.status = 'open' AND o.win_loss_reason_id IS NOT NULL)
""")


async def totals(actor: Actor) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """The totals as they are kept and as they are counted now."""
    async with unit_of_work(actor) as uow:
        kept = {tuple(r) for r in await uow.rows(_KEPT)}
        counted = {tuple(r) for r in await uow.rows(_COUNTED)}
    return kept, counted


async def assert_sound(actor: Actor) -> None:
    kept, counted = await totals(actor)
    assert kept == counted
    async with unit_of_work(actor) as uow:
        assert [r._mapping for r in await uow.rows(_TORN)] == []
        assert [r._mapping for r in await uow.rows(_ODD)] == []


def summed(shown: Mapping[Any, Any]) -> dict[Any, list[tuple[str, int, int, int]]]:
    """The sums of a board's totals by stage, to compare two of them."""
    return {
        s: sorted((t.currency, t.deals, t.amount_minor, t.weighted_minor) for t in v.sums) for s, v in shown.items()
    }
