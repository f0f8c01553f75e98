"""Time: UTC and aware. The only place that asks what time it is; everything else is told."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    return datetime.now(UTC)
