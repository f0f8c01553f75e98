"""Which place it is: the settings say so, and tests may say something else."""

from functools import cache

from crm_app.integrations.files.local import FolderFiles
from crm_app.integrations.files.port import Files
from crm_app.integrations.files.s3 import BucketFiles
from crm_app.settings import Settings, settings

_chosen: Files | None = None


def use(other: Files | None) -> None:
    """Put another place in place of the one from the settings; None puts it back."""
    global _chosen  # noqa: PLW0603
    _chosen = other


def files() -> Files:
    """The place in use."""
    return _chosen if _chosen is not None else _by(settings())


@cache
def _by(chosen: Settings) -> Files:
    return BucketFiles.chosen_by(chosen) if chosen.s3_bucket else FolderFiles()
