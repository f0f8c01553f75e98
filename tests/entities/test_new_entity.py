"""An entity declared in one file, plus its migration, is listed, found, edited, imported, exported, served and audited.

It is the one of docs/how-to/add-an-entity.md, taken from there word by word, in a process of its own.
"""

import os
import re
import subprocess
import sys

from crm_app.settings import ROOT
from tests.new_entity.how_to import HOW_TO, MIGRATION, MODEL

_SECONDS = 240


def test_the_entity_of_the_how_to_goes_through_everything():
    """Its own journey, and the suite that runs over every entity."""
    command = [
        sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "tests.new_entity.plugin",
        "tests/new_entity/journey.py", "tests/entities", "-k", "visit",
    ]  # fmt: skip
    alone = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "CRM_", "DATABASE_"))}
    done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) >= 40, done.stdout[-500:]


def test_the_how_to_counts_its_lines():
    lines = [line for line in MODEL.splitlines() if line.strip()]
    assert f"**{len(lines)} lines** in the model file" in HOW_TO
    assert f"**{len(MIGRATION.splitlines())} lines** added to the migration" in HOW_TO
