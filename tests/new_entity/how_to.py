"""The pieces of docs/how-to/add-an-entity.md that are code."""

import re

from crm_app.settings import ROOT

HOW_TO = (ROOT / "docs" / "how-to" / "add-an-entity.md").read_text()
MODEL, MIGRATION, GUARD = re.findall(r"```python\n(.*?)```", HOW_TO, re.DOTALL)
