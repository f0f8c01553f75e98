"""Rules of the house that can be read off the sources."""

import ast
import io
import re
import tokenize

from tests.house.sources import ROOT, Source, application, dotted, sources

LONGEST_FILE, LONGEST_FUNCTION = 450, 60
# Longer than the rule says, and why. Nothing is added here for convenience.
LONG_FILES = {
    "crm_app/services/people/common_passwords.txt": "data",
    "alembic/versions/0001_ground.py": "the first migration makes every table, column by column",
}
LONG_FUNCTIONS = {"alembic/versions/0001_ground.py create_tables": "generated: one call a table"}
# Imports inside functions, and why they are there.
LATE_IMPORTS = {
    "crm_app/integrations/smtp/port.py": "port and client know each other; the client is loaded when mail leaves",
}
HEAVY = {"polars", "fastexcel", "xlsxwriter"}  # tens of megabytes that few processes ever need
# Modules below the edges that ask for the time themselves, and why they cannot be told it.
OWN_CLOCK = {
    "crm_app/core/clock.py": "the clock",
    "crm_app/store/uow.py": "a unit of work begins now unless it is told otherwise",
    "crm_app/store/backup.py": "the name of a file and the note in it",
    "crm_app/store/migrations.py": "the name of a file and the note of a run",
    "crm_app/services/people/sessions.py": "signing in comes before any unit of work",
    "crm_app/services/people/api_tokens.py": "signing in comes before any unit of work",
    "crm_app/services/people/profile.py": "throttled like signing in",
    "crm_app/integrations/smtp/client.py": "the date of a letter",
}
EDGES = {"state", "api", "jobs", "cli", "components", "pages"}


def test_only_the_unit_of_work_commits():
    found = [
        s.at(call)
        for s in application()
        if s.name != "crm_app/store/uow.py"
        for call in s.calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "rollback")
    ]
    assert found == []


def test_only_the_store_opens_connections():
    makers = {
        "AsyncSession", "Session", "sessionmaker", "async_sessionmaker", "create_engine", "create_async_engine",
        "engine", "psycopg.connect", "AsyncConnection.connect", "Connection.connect", "PsycopgConnector",
        "AsyncConnectionPool",
    }  # fmt: skip
    found = [
        f"{s.at(call)} {name}"
        for s in sources()
        if s.layer != "store" and s.name != "alembic/env.py"
        for call in s.calls()
        if (name := dotted(call.func)) in makers or name.split(".", 1)[-1] in makers
    ]
    assert found == []


def test_settings_of_a_connection_end_with_its_transaction():
    """`set_config(.., false)` and a plain SET would meet whoever gets the connection next."""
    lasting = re.compile(r"set_config\s*\([^)]*,\s*false\s*\)|\bSET\s+(SESSION\s+)?app\.", re.IGNORECASE)
    texts = [(s.name, s.text) for s in sources()]
    texts += [(str(p.relative_to(ROOT)), p.read_text()) for p in (ROOT / "alembic" / "sql").glob("*.sql")]
    assert [name for name, text in texts if lasting.search(text)] == []


def test_the_environment_is_read_in_one_place():
    reading = {
        "crm_app/settings.py": "the settings",
        "crm_app/store/programs.py": "what a child process inherits",
        "crm_app/services/platform/frontend.py": "what a child process inherits",
        "crm_app/cli.py": "passes on what was said on the command line",
    }
    pattern = re.compile(r"\bos\.(environ|getenv)\b")
    assert [s.name for s in application() if pattern.search(s.text) and s.name not in reading] == []


def test_imports_stand_at_the_top():
    found = {
        s.at(node)
        for s in application()
        if s.name not in LATE_IMPORTS and s.layer != "cli"  # `crm --help` shall not load the application
        for function in s.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and not {a.name for a in node.names} <= HEAVY
    }
    assert found == set()


def test_files_and_functions_stay_short():
    long_files = {s.name for s in sources() if s.text.count("\n") > LONGEST_FILE} - set(LONG_FILES)
    long_functions = {
        f"{s.name} {f.name}"
        for s in sources()
        for f in s.functions()
        if (f.end_lineno or 0) - f.lineno + 1 > LONGEST_FUNCTION
    } - set(LONG_FUNCTIONS)
    assert (long_files, long_functions) == (set(), set())


def test_exceptions_to_the_rules_are_still_needed():
    names = {s.name for s in sources()} | {"crm_app/services/people/common_passwords.txt"}
    functions = {f"{s.name} {f.name}" for s in sources() for f in s.functions()}
    assert {*LONG_FILES, *LATE_IMPORTS, *OWN_CLOCK} <= names
    assert set(LONG_FUNCTIONS) <= functions


def test_only_the_clock_says_what_time_it_is():
    """Everything else is told: `uow.now`, `uow.today`, an argument."""
    days = re.compile(r"(datetime\.)?(datetime|date)\.(now|today|utcnow)")
    counters = re.compile(r"time\.(time|time_ns|localtime|gmtime)")  # a screen may number its notices by them
    found = [
        s.at(call)
        for s in application()
        if s.name != "crm_app/core/clock.py"
        for call in s.calls()
        if days.fullmatch(name := dotted(call.func)) or (s.layer not in EDGES and counters.fullmatch(name))
    ]
    assert found == []


def test_below_the_edges_the_time_is_an_argument():
    found = [
        s.at(call)
        for s in application()
        if s.layer not in EDGES and s.name not in OWN_CLOCK
        for call in s.calls()
        if dotted(call.func) == "utcnow"
    ]
    assert found == []


def test_no_error_is_swallowed():
    """A handler of everything does something with it; there is no bare except."""
    found = []
    for s in sources():
        for node in ast.walk(s.tree):
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or dotted(node.type) in ("Exception", "BaseException")
                idle = all(
                    isinstance(n, ast.Pass | ast.Continue)
                    or (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
                    for n in node.body
                )
                if node.type is None or (broad and idle):
                    found.append(s.at(node))
            if isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
                found += [s.at(node) for a in node.args if dotted(a) in ("Exception", "BaseException")]
    assert found == []


def test_every_opt_out_names_its_rule():
    naked = re.compile(r"#\s*(type:\s*ignore(?!\[)|noqa(?!: [A-Z]+\d+)|pragma: no cover)")
    assert [f"{s.name}: {c}" for s in application() for c in _comments(s) if naked.search(c)] == []


def _comments(source: Source) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return [t.string for t in tokens if t.type == tokenize.COMMENT]


def test_nothing_is_kept_in_a_drawer_called_utils():
    drawers = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
    assert [s.name for s in application() if drawers & set(re.split(r"[/_.]", s.name))] == []


def test_every_module_says_what_it_is_for():
    silent = [s.name for s in application() if s.tree.body and ast.get_docstring(s.tree) is None]
    assert silent == []


def test_services_take_the_unit_of_work_first():
    """A public verb takes `uow` first, unless it opens units of work itself because it begins before one can."""
    opening = {
        "crm_app/services/people/actors.py": "an actor is made here",
        "crm_app/services/people/api_callers.py": "a caller becomes an actor here",
        "crm_app/services/people/api_tokens.py": "signing in",
        "crm_app/services/people/links.py": "a link is looked up before it is known whose it is",
        "crm_app/services/people/invitations.py": "answers a link before anybody is signed in",
        "crm_app/services/people/passwords.py": "hashes, no database",
        "crm_app/services/people/profile.py": "checks the old password outside the transaction",
        "crm_app/services/people/resets.py": "answers a link before anybody is signed in",
        "crm_app/services/people/sessions.py": "signing in",
        "crm_app/services/people/viewing.py": "ends what lets nothing be written",
        "crm_app/services/people/workspaces.py": "checks before there is a tenant",
        "crm_app/services/sales/workspaces.py": "founds the tenant",
        "crm_app/services/sales/demo/build.py": "every step at its own moment",
        "crm_app/services/platform/export_keeping.py": "puts a file where it lies between two transactions",
        "crm_app/services/platform/imports/adding.py": "reads the file before it writes down what is in it",
        "crm_app/services/platform/imports/checking.py": "plans for minutes between two short transactions",
        "crm_app/services/platform/imports/doubles.py": "its planning carries the unit of work",
        "crm_app/services/platform/imports/joining.py": "its planning carries the unit of work",
    }
    found = [
        f"{s.name} {f.name}"
        for s in application()
        if s.layer == "services" and s.name not in opening
        for f in s.tree.body
        if isinstance(f, ast.AsyncFunctionDef) and not f.name.startswith("_")
        if not f.args.args or f.args.args[0].arg != "uow"
    ]
    assert found == []


def test_no_permission_is_skipped_by_a_flag():
    """No bypass exists: what runs by itself runs as an actor with permissions of its own."""
    names = re.compile(
        r"^(skip|bypass|ignore|without|no)_(permission|check|auth|visibility|rls|tenant)\w*$|^(as_root|sudo|superuser)$"
    )
    found = [
        f"{s.at(f)} {a.arg}"
        for s in application()
        for f in s.functions()
        for a in (*f.args.args, *f.args.kwonlyargs)
        if names.match(a.arg)
    ]
    assert found == []
