"""The command line. Each command reads its arguments, calls one function, and says what came of it."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from crm_app import cli_imports
from crm_app.console import Steps, database, err, out, steps
from crm_app.core.errors import CrmError, NotReady
from crm_app.settings import settings

app = typer.Typer(
    name="crm", help="SalesCompass: serve it, keep it healthy.", no_args_is_help=True, rich_markup_mode="rich"
)

app.command("import")(cli_imports.import_files)


def main() -> None:
    """Entry of the `crm` command: what a person can mend is said in two lines, everything else is a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except ValidationError as error:
        if error.title != "Settings":
            raise
        for fault in error.errors():
            _refuse(f"CRM_{fault['loc'][0]}".upper() if fault["loc"] else "Settings", fault["msg"])
        sys.exit(1)
    except CrmError as error:
        _refuse(str(error), error.remedy if isinstance(error, NotReady) else "")
        sys.exit(1)


def _refuse(what: str, remedy: str) -> None:
    err.print("[bold red]✗[/]", escape(what), soft_wrap=True)
    if remedy:
        err.print("[bold]→[/]", escape(remedy), soft_wrap=True)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Make a demo workspace if nobody works here yet.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; more than one needs REDIS_URL.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build the front end even if nothing changed.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every request.")] = False,
) -> None:
    """Start everything that is needed (database, migrations, front end) and serve the app."""
    _choose(CRM_HOST=host, CRM_PORT=port, CRM_WORKERS=workers)
    _check_can_listen()
    from crm_app.services.platform import frontend

    with database(adopt=True):
        with steps() as told, ThreadPoolExecutor(1) as beside:
            built = beside.submit(frontend.ensure, again=rebuild)  # takes no database, so both go on at once
            _prepare(told)
            sign_ins = _demo(told) if demo else ""
            if not built.done():
                told("Building the front end")
            built.result()
            told("Starting the app")
        _run_server(verbose=verbose, sign_ins=sign_ins)


@app.command()
def build() -> None:
    """Build the front end if it is not that of the sources; `crm serve` does so by itself."""
    from crm_app.services.platform import frontend

    with steps() as told:
        was_built = frontend.ensure(told)
    out.print("The front end is built." if was_built else "The front end is that of the sources already.")


@app.command()
def worker() -> None:
    """Run background jobs and the clock in a process of their own (set CRM_WORKER_IN_PROCESS=false for the app)."""
    from crm_app import parts
    from crm_app.jobs.process import worker_process
    from crm_app.store import migrations

    with database():
        migrations.require_ready()
        parts.load()
        out.print("The worker waits for jobs. Ctrl+C stops it.")
        asyncio.run(worker_process())


@app.command()
def seed(
    more: Annotated[bool, typer.Option("--more", help="A further one, even if somebody works here already.")] = False,
) -> None:
    """Make the demo workspace: two years of deals."""
    with database(), steps() as told:
        _prepare(told)
        sign_ins = _demo(told, more=more)
    out.print(sign_ins or "Somebody works here already; `crm seed --more` makes a demo workspace all the same.")


@app.command()
def migrate(
    again: Annotated[
        bool, typer.Option("--again", help="Go on after a half-done migration that you looked into.")
    ] = False,
    backup: Annotated[bool, typer.Option(help="Back up first when there is data.")] = True,
) -> None:
    """Bring the database to the newest migration, after a backup."""
    from crm_app.store import migrations

    with database(), steps() as told:
        done = migrations.upgrade(again=again, with_backup=backup, told=told)
    out.print(f"The database is at migration {done.current}.")


@app.command()
def backup(
    target: Annotated[Path | None, typer.Argument(help="File or folder; by default the data folder's backups.")] = None,
    with_files: Annotated[
        bool, typer.Option("--with-files/--without-files", help="Whether uploaded files go into it.")
    ] = True,
) -> None:
    """Write the database and the uploaded files, those in a bucket too, into one file."""
    from crm_app.integrations import files
    from crm_app.store import backup as backups
    from crm_app.store import keys

    folder = settings().data_dir / "backups"
    if target is None:
        folder.mkdir(parents=True, exist_ok=True)
    with database(), steps() as told:
        told("Backing up")
        path = backups.create((target or folder).resolve(), bucket=files.bucket(), with_files=with_files)
    out.print(f"{path} ({path.stat().st_size / 1e6:,.1f} MB)", soft_wrap=True)
    found = backups.read_manifest(path)
    if found.left_out:
        out.print(f"The uploaded files are not in it: keep a copy of {found.left_out} yourself.", soft_wrap=True)
    elif found.files:
        out.print(f"{found.files:,} uploaded files are in it.")
    if settings().secret_key is None:
        out.print(f"The secret key is not in it: keep a copy of {keys.key_file()} elsewhere.", soft_wrap=True)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `crm backup` wrote.", exists=True, dir_okay=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of the data that is there.")] = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="The old secret key is lost; what it encrypted stays unreadable.")
    ] = False,
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Put back uploaded files that are lost, and touch nothing else.")
    ] = False,
) -> None:
    """Load a backup; what is there is saved first."""
    from crm_app.integrations import files
    from crm_app.store import backup as backups
    from crm_app.store import migrations

    if files_only:
        count = backups.put_back_files(file.resolve(), bucket=files.bucket())
        out.print(f"{count:,} lost {'file is' if count == 1 else 'files are'} back.")
        return
    with database(), steps() as told:
        told("Restoring")
        safety = backups.restore(file.resolve(), replace=replace, new_key=new_key, bucket=files.bucket())
        done = migrations.upgrade(told=told)
    out.print(f"Restored; the database is at migration {done.current}.")
    if safety is not None:
        out.print(f"What was there before is in {safety}.", soft_wrap=True)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what is wrong with this installation and how to mend it; exit code 1 when something fails."""
    from crm_app.services.platform.doctor import examine
    from crm_app.store.health import Level

    with database():
        checks = examine()
    if as_json:
        out.print_json(json.dumps([asdict(check) for check in checks]))
    else:
        marks = {Level.ok: "[green]✓[/]", Level.warn: "[yellow]![/]", Level.fail: "[bold red]✗[/]"}
        table = Table(box=None, show_header=False, padding=(0, 1))
        for check in checks:
            remedy = f"\n[dim]→ {escape(check.remedy)}[/]" if check.remedy else ""
            table.add_row(marks[check.level], f"[bold]{check.name}[/]", f"{escape(check.found)}{remedy}")
        out.print(table)
    if any(check.level is Level.fail for check in checks):
        raise typer.Exit(1)


@app.command()
def stop() -> None:
    """Stop the embedded PostgreSQL, should it still run after the app was killed."""
    from crm_app.store.databases import embedded

    if not settings().is_embedded:
        raise NotReady("DATABASE_URL is set: the server is not ours to stop.")
    embedded().stop()
    out.print("The embedded PostgreSQL is stopped.")


def _prepare(told: Steps) -> None:
    from crm_app.store import migrations
    from crm_app.store.databases import database_urls

    told("Starting PostgreSQL" if settings().is_embedded else "Connecting to PostgreSQL")
    database_urls()
    migrations.upgrade(told=told)


def _demo(told: Steps, *, more: bool = False) -> str:
    """Make the demo workspace if it is wanted; who can sign in to it, as text, when there is one."""
    from crm_app import parts
    from crm_app.core.clock import utcnow
    from crm_app.services.sales.demo import build
    from crm_app.store.engine import close_engine

    async def make() -> bool:
        try:
            if more:
                await build.create(now=utcnow(), told=told)
                return True
            return await build.ensure(now=utcnow(), told=told) or await build.stands()
        finally:
            await close_engine()  # its connections belong to this event loop

    parts.load()
    if not asyncio.run(make()):
        return ""
    return "\n".join(f"{who.email:<24} {build.PASSWORD}   [dim]{who.title}[/]" for who in build.SIGN_INS[:4])


def _run_server(*, verbose: bool, sign_ins: str) -> None:
    import uvicorn

    chosen = settings()
    os.environ |= {
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "__REFLEX_SKIP_COMPILE": "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    }
    threading.Thread(target=_announce, args=[sign_ins], daemon=True).start()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(0)
    )  # uvicorn raises it again at its end; the database stops after
    try:
        uvicorn.run(
            "crm_app.crm_app:app",
            factory=True,
            host=chosen.host,
            port=chosen.port,
            workers=chosen.workers,
            log_level="info" if verbose else "warning",
            access_log=verbose,
            server_header=False,
            proxy_headers=False,  # Reflex and the app read them themselves, by CRM_PROXY_HOPS
            timeout_graceful_shutdown=5,
        )
    except KeyboardInterrupt:
        out.print("Stopped.")


def _announce(sign_ins: str) -> None:
    """Print the address, and who can sign in, once the port answers."""
    chosen = settings()
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((_reachable(chosen.host), chosen.port)) == 0:
                break
        time.sleep(0.1)
    lines = [f"SalesCompass is ready at [bold]{chosen.base_url}[/]", "[dim]Ctrl+C stops it.[/]"]
    if sign_ins:
        lines[1:1] = ["", "Sign in to the demo workspace:", sign_ins, ""]
    out.print(Panel.fit("\n".join(lines), border_style="green"))


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104


def _check_can_listen() -> None:
    chosen = settings()
    if chosen.workers > 1 and not chosen.redis_url:
        raise NotReady("Several processes share their state through Redis.", remedy="Set REDIS_URL, or --workers 1.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_reachable(chosen.host), chosen.port))
        except OSError as error:
            raise NotReady(
                f"Port {chosen.port} cannot be used: {error.strerror}.",
                remedy="Stop what uses it, or choose another with --port.",
            ) from error


def _choose(**chosen: object) -> None:
    """What was said on the command line wins, here and in the processes that we start."""
    for name, value in chosen.items():
        if value is not None:
            os.environ[name] = str(value)
    settings.cache_clear()


if __name__ == "__main__":
    main()
