"""What a browser can call: the handlers of the state classes, and nothing else."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import reflex as rx

from crm_app import crm_app
from crm_app.services.people.roles import catalogue
from crm_app.state.base import AppState, Doorkeeper, is_behind_the_door
from crm_app.state.people.sign_in import SignInState

# State classes that anybody reaches, and why.
OUTSIDE = {SignInState: "reads the address of the sign-in pages"}


def ours(base: type = rx.State) -> Iterator[type]:
    for cls in base.__subclasses__():
        if cls.__module__.startswith("crm_app."):
            yield cls
        yield from ours(cls)


def test_every_state_class_stands_behind_the_door():
    assert {c for c in ours() if not issubclass(c, AppState)} == set(OUTSIDE)
    for cls in ours(AppState):
        for name in cls.event_handlers:
            assert is_behind_the_door(f"{cls.get_full_name()}.{name}")
    assert not any(is_behind_the_door(f"{c.get_full_name()}.read") for c in OUTSIDE)


def test_the_doorkeeper_is_asked_first():
    assert isinstance(crm_app.app._middlewares[0], Doorkeeper)


def test_no_state_holds_what_cannot_be_kept_for_another_process():
    """Several processes share states through Redis, pickled. Declarations cannot be: a state keeps their names."""
    for cls in ours():
        held = {n: str(h) for n, h in get_type_hints(cls).items() if n in vars(cls).get("__annotations__", {})}
        wrong = [n for n, h in held.items() if re.search(r"registry\.(Entity|FieldSpec)|Callable|asyncio\.", h)]
        assert not wrong, f"{cls.__name__} holds {wrong}"


def test_only_marked_methods_are_events():
    """Reflex lets browsers call every public method: those that are no events carry `@internal`."""
    found = []
    for cls in ours():
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0].body
        marked = {
            f.name
            for f in body
            if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
            and any("rx.event" in ast.unparse(d) for d in f.decorator_list)
        }
        found += [f"{cls.__name__}.{n}" for n in set(cls.event_handlers) - marked - {"setvar"}]
    assert found == []


def test_no_page_opens_without_looking_at_the_session():
    """A page's first event goes through the door, or the frame would show nobody."""
    bare = [route for route, loads in crm_app.app._load_events.items() if not loads and route != "404"]
    assert bare == []
    assert set(crm_app.app._unevaluated_pages) - set(crm_app.app._load_events) <= {"404"}


def test_rights_shown_to_screens_are_names_that_exist():
    root = Path(crm_app.__file__).parent
    asked = set()
    for file in (*root.glob("components/**/*.py"), *root.glob("pages/**/*.py")):
        asked |= set(re.findall(r'may\("([a-z_.]+)"\)', file.read_text()))
    assert asked <= set(catalogue())


def test_no_state_class_takes_a_name_of_the_one_below():
    """A var of the same name would be written by both."""
    found = []
    for cls in ours(AppState):
        own = set(inspect.get_annotations(cls))
        below = {n for base in cls.__mro__[1:] if issubclass(base, AppState) for n in inspect.get_annotations(base)}
        found += [f"{cls.__name__}.{n}" for n in own & below]
    assert found == []
