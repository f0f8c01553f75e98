"""The sources of the product, parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A module: `name` is its path below the root, with slashes."""

    name: str
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        """core, services, jobs ...; alembic for migrations."""
        parts = self.name.split("/")
        layer = parts[1].removesuffix(".py") if parts[0] == "crm_app" else parts[0]
        return "cli" if layer.startswith("cli_") or layer == "console" else layer

    def functions(self) -> Iterator[Function]:
        return (n for n in ast.walk(self.tree) if isinstance(n, Function))

    def calls(self) -> Iterator[ast.Call]:
        return (n for n in ast.walk(self.tree) if isinstance(n, ast.Call))

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 0)}"


@cache
def sources() -> tuple[Source, ...]:
    """Every module of the application and every migration."""
    found = [*(ROOT / "crm_app").rglob("*.py"), *(ROOT / "alembic").rglob("*.py")]
    return tuple(
        Source(str(p.relative_to(ROOT)), text := p.read_text(), ast.parse(text, str(p))) for p in sorted(found)
    )


def application() -> tuple[Source, ...]:
    return tuple(s for s in sources() if s.name.startswith("crm_app/"))


def dotted(node: ast.AST) -> str:
    """a.b.c of a chain of attributes; the end of the chain alone when it begins with something else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"
