"""The `crm` command as a person runs it: another process, its output, its exit code."""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from crm_app.settings import ROOT
from crm_app.store.databases import DatabaseUrls


@dataclass(frozen=True)
class Answer:
    code: int
    text: str  # with line breaks of the terminal's width taken out

    @property
    def lines(self) -> str:
        return " ".join(self.text.split())


# Root without the right to pass over the modes of files: a read-only folder is read-only for it too.
_POWERLESS = """
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def crm(*arguments: object, urls: DatabaseUrls | None = None, powerless: bool = False, **environment: Any) -> Answer:
    """Run it. Environment entries of None are taken away; `powerless` lets modes of files hold for root too."""
    base = {**os.environ, "COLUMNS": "200"}
    if urls is not None:
        base |= {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner}
    for name, value in environment.items():
        base.pop(name, None)
        if value is not None:
            base[name] = str(value)
    done = subprocess.run(
        [sys.executable, *(["-c", _POWERLESS] if powerless else []), "-m", "crm_app.cli", *map(str, arguments)],
        cwd=ROOT,
        env=base,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return Answer(done.returncode, done.stdout)
