"""What a dry run found, step by step: numbers first, then every row that is left out and why."""

from dataclasses import asdict, dataclass, field
from typing import Any

from crm_app.services.platform.imports.doubles import Double
from crm_app.services.platform.imports.rows import Problem

_KEPT = 1000  # problems kept with the batch; the report itself has all


@dataclass
class StepReport:
    """Counts are rows of the file; `new` + `updated` + `unchanged` + `duplicates` + `rejected` + `skipped` + `repeats`
    = `rows`. `sums`: minor units of the step's money by currency, of new records."""

    name: str
    entity: str
    source: str
    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    skipped: int = 0
    repeats: int = 0  # rows that name a record of an earlier row again, as `once` allows
    is_related: bool = False  # records that others of the file need, not rows of it
    children: dict[str, int] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)
    notes: list[tuple[str, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    doubles: list[Double] = field(default_factory=list)  # where a person chose what happens to them

    def as_json(self) -> dict[str, Any]:
        whole = asdict(self)
        whole["problems"] = whole["problems"][:_KEPT]
        whole["doubles"] = whole["doubles"][:_KEPT]
        whole["more_problems"] = max(0, len(self.problems) - _KEPT)
        return whole


@dataclass
class Report:
    name: str
    steps: list[StepReport] = field(default_factory=list)

    @property
    def problems(self) -> int:
        return sum(len(s.problems) for s in self.steps)

    @property
    def rejected(self) -> int:
        return sum(s.rejected for s in self.steps)

    @property
    def writes(self) -> int:
        """Records that the run will make or change."""
        return sum(s.new + s.updated for s in self.steps)

    def counts(self) -> list[tuple[Any, ...]]:
        """What must be the same again for a run to be what was announced."""
        return [
            (s.name, s.entity, s.rows, s.new, s.updated, s.unchanged, s.duplicates, s.rejected, s.skipped,
             tuple(sorted(s.children.items())), tuple(sorted(s.sums.items())))
            for s in self.steps
        ]  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "steps": [s.as_json() for s in self.steps]}
