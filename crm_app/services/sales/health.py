"""The health of a deal: what needs somebody, and when time alone will change it."""

from datetime import UTC, date, datetime, time, timedelta

from crm_app.models.sales.opportunities import Health


def health_of(
    *,
    is_open: bool,
    now: datetime,
    expected_close_on: date,
    next_activity_at: datetime | None,
) -> tuple[Health, datetime | None]:
    """The health now, and the next moment (UTC) at which it may be another without anybody's doing.

    overdue: a planned activity or the close date has passed; risk: nothing is planned. The close date passes at the end
    of its day in UTC.
    """
    if not is_open:
        return Health.good, None
    closes = datetime.combine(expected_close_on + timedelta(days=1), time(), UTC)
    if closes <= now or (next_activity_at is not None and next_activity_at < now):
        return Health.overdue, None
    if next_activity_at is None:
        return Health.risk, closes
    return Health.good, min(closes, next_activity_at + timedelta(seconds=1))


def is_rotting(*, now: datetime, stage_entered_at: datetime, rotting_days: int | None) -> bool:
    """Longer in the stage than it should be: the hourglass, whatever the health is."""
    return rotting_days is not None and now - stage_entered_at > timedelta(days=rotting_days)
