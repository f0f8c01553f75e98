"""Which place it is: the settings say so, and tests may say something else."""

from functools import cache

from crm_app.integrations.files.local import FolderFiles
from crm_app.integrations.files.port import Files
from crm_app.integrations.files.s3 import BucketFiles
from crm_app.settings import Settings, settings
from crm_app.store.downloads import FOLDER

_chosen: dict[str, Files] = {}


def use(other: Files | None, *, exported: Files | None = None) -> None:
    """Put other places in place of those from the settings; None puts it back."""
    _chosen.clear()
    _chosen.update({name: place for name, place in (("", other), (FOLDER, exported)) if place is not None})


def files() -> Files:
    """Where attached files lie."""
    return _chosen.get("") or _by(settings())


def exported() -> Files:
    """Where files lie that people made of lists, for a week: apart, since no backup takes them along."""
    return _chosen.get(FOLDER) or _exported_by(settings())


def attached() -> FolderFiles | BucketFiles:
    """Where attached files lie by the settings, for commands: backup, restore, doctor."""
    return _by(settings())


def bucket() -> BucketFiles | None:
    """The bucket of attached files; None when they lie in the data folder, which a backup takes along anyway."""
    place = attached()
    return place if isinstance(place, BucketFiles) else None


@cache
def _by(chosen: Settings) -> FolderFiles | BucketFiles:
    return BucketFiles.chosen_by(chosen) if chosen.s3_bucket else FolderFiles()


@cache
def _exported_by(chosen: Settings) -> Files:
    if chosen.s3_bucket:
        return BucketFiles.chosen_by(chosen, below=FOLDER)
    return FolderFiles(chosen.data_dir / FOLDER)
