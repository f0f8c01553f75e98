"""What commands share: where they print, how they show progress, the database they borrow."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from crm_app.settings import settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def database(*, adopt: bool = False) -> Iterator[None]:
    """An embedded server that the command started does not outlive it. A server that serves also takes over one whose
    starter was killed."""
    from crm_app.store.databases import embedded

    if not settings().is_embedded:
        yield
        return
    cluster = embedded()
    if adopt:
        cluster.adopt()
    try:
        yield
    finally:
        cluster.release()


class Steps:
    """Tells one step after the other, with the time each took. "Label: 40 %" moves the bar of the step "Label"."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._label = ""
        self._task: TaskID | None = None

    def __call__(self, line: str) -> None:
        label, _, rest = line.partition(":")
        share = rest.strip().removesuffix("%").strip()
        if self._task is None or label != self._label:
            self.done()
            self._label = label
            self._task = self._progress.add_task(label, total=100 if share.isdigit() else None)
        if share.isdigit():
            self._progress.update(self._task, completed=min(int(share), 99))

    def done(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, total=100, completed=100)


@contextmanager
def steps() -> Iterator[Steps]:
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as progress:
        told = Steps(progress)
        yield told
        told.done()
