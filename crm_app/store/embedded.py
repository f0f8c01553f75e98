"""The embedded PostgreSQL: a private cluster below the data folder, over the programs of the wheel.

The wheel's own launcher is not used: it lets every local user in as superuser, opens the parent folders of the data to
everybody when it runs as root, gives crash recovery ten seconds and takes no settings.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from crm_app.core.errors import NotReady
from crm_app.store.programs import Account, Programs, find_programs, run, server_account, shared_folder

DATABASE = "crm"
SETTINGS = {
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "60",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "10s",
    "log_min_messages": "warning",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
}
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
_START_SECONDS = 300  # crash recovery of a large cluster takes minutes
_STOP_SECONDS = 60
_SOCKET_PATH_LIMIT = 100  # the kernel's is 107 bytes (103 on macOS) with the name of the socket
_BUSY = ("shared memory", "lock file", "could not start server")


class Role(StrEnum):
    """`owner` migrates, `app` is held by row-level security, `superuser` is the launcher's own."""

    superuser = "crm_super"
    owner = "crm_owner"
    app = "crm_app"


class EmbeddedPostgres:
    """One cluster in the folder `home`. Several processes may start it at once: one does, the others join it.

    `options` are settings of the server that replace ours. Only POSIX systems; elsewhere use DATABASE_URL.
    """

    def __init__(self, home: Path, *, programs: Path | None = None, options: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()
        self.options = dict(options or {})
        self.started_here = False
        self._chosen = programs
        self._place: Path | None = None
        self._passwords: dict[str, str] = {}

    # -- where things are ----------------------------------------------------------------------------------------

    @property
    def cluster(self) -> Path:
        return self._located() / "pg"

    @property
    def sockets(self) -> Path:
        inside = self._located() / "sock"
        if len(str(inside / ".s.PGSQL.5432.lock")) <= _SOCKET_PATH_LIMIT:
            return inside
        return Path(tempfile.gettempdir()) / f"crm-{_mark(self._located())}"

    @property
    def log(self) -> Path:
        return self.cluster / "server.log"

    @property
    def exists(self) -> bool:
        """Whether the cluster was ever made."""
        return (self.home / "created").exists()

    def url(self, role: Role = Role.app, database: str = DATABASE) -> str:
        """Address for psycopg, libpq and (by `store.databases.sqlalchemy_url`) SQLAlchemy."""
        if not self._passwords:
            self._passwords = self._read_passwords()
        secret = quote(self._passwords[role.value], safe="")
        return f"postgresql://{role.value}:{secret}@/{quote(database)}?host={quote(str(self.sockets), safe='')}"

    # -- start and stop ------------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Make the cluster if there is none, start it if it is down, and prove it by a connection.

        True when this call started the server. NotReady says what stands in the way.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with self._alone():
                started = self._start_locked()
        except PermissionError as error:
            raise NotReady(
                f"{error.filename or self.home} cannot be written by this user.",
                remedy="The data folder was made by another user, perhaps root: run as that user, or change its owner.",
            ) from error
        except OSError as error:  # a read-only or full disk, a file where a folder should be
            raise NotReady(
                f"{error.filename or self.home} cannot be used: {(error.strerror or str(error)).lower()}.",
                remedy="Free space, let the folder be written, or name another one in CRM_DATA_DIR.",
            ) from error
        self.started_here = self.started_here or started
        return started

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, whoever started it. `mode` is pg_ctl's: smart, fast or immediate."""
        if not self.exists:
            return
        with self._alone():
            if self._running_pid() is not None:
                account = server_account()
                pg_ctl = self._programs(account)["pg_ctl"]
                stop = [pg_ctl, "stop", "-w", "-t", str(_STOP_SECONDS), "-D", self.cluster, "-m", mode]
                run(stop, account, timeout=_STOP_SECONDS + 10)
        self.started_here = False

    def adopt(self) -> None:
        """Be the starter of a server whose own starter is dead (killed, so that it could not stop it)."""
        note = self.home / "starter"
        try:
            os.kill(int(note.read_text()), 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            self.started_here = self.is_running()
        except PermissionError:
            return  # alive, of another user

    def release(self) -> None:
        """Stop the server if this object started it; others' servers are left alone."""
        if self.started_here:
            self.stop()

    def is_running(self) -> bool:
        return self.exists and self._probe() == "ready"

    # -- databases -----------------------------------------------------------------------------------------------

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """A database that belongs to the owner role and that the app role may enter."""
        database = sql.Identifier(name)
        command = sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(Role.owner))
        if template is not None:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with self._as_superuser() as connection:
            connection.execute(command)
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            connection.execute(
                sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, sql.Identifier(Role.app))
            )

    def drop_database(self, name: str) -> None:
        """Gone with everything in it; sessions that are still open are ended."""
        with self._as_superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def rename_database(self, name: str, new_name: str) -> None:
        with self._as_superuser() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new_name))
            )

    def has_database(self, name: str) -> bool:
        with self._as_superuser() as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    # -- inside --------------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the cluster."""
        with (self.home / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start_locked(self) -> bool:
        account = server_account()
        self._passwords = self._read_passwords() or self._write_passwords()
        self._settle(account)
        programs = self._programs(account)
        if not (self.cluster / "PG_VERSION").exists():
            self._create(programs, account)
        started = self._bring_up(programs, account)
        if started or not self.exists:
            self._ensure_roles()
            (self.home / "created").touch()
        return started

    def _programs(self, account: Account) -> Programs:
        """Programs of the version that wrote the cluster, where the account can run them."""
        version = self.cluster / "PG_VERSION"
        major = int(version.read_text().strip()) if version.exists() else None
        return find_programs(self._chosen, major=major).reachable_by(account)

    def _located(self) -> Path:
        """Where cluster and socket are: `home`, or the place written down when the account could not enter it."""
        if self._place is None:
            note = self.home / "location"
            self._place = Path(note.read_text().strip()) if note.exists() else self.home
        return self._place

    def _settle(self, account: Account) -> None:
        """Choose the place once, and make the folder of the socket in it."""
        if account.name is not None and not self.exists and not (self.home / "location").exists():
            self.home.chmod(0o711)
            if not account.can("/bin/sh", "-c", 'cd "$1"', "sh", self.home):
                place = Path(tempfile.mkdtemp(prefix="cluster-", dir=shared_folder()))
                place.chmod(0o711)
                (self.home / "location").write_text(f"{place}\n")
                self._place = place
        sockets = self.sockets
        sockets.mkdir(exist_ok=True, mode=0o700)
        if sockets.is_symlink() or sockets.stat().st_uid not in (os.geteuid(), account.uid):
            raise NotReady(
                f"{sockets} belongs to somebody else.", remedy="Remove it, or choose a shorter CRM_DATA_DIR."
            )
        sockets.chmod(0o700)
        account.own(sockets)

    def _create(self, programs: Programs, account: Account) -> None:
        """initdb beside the final name, then rename: a killed initdb leaves nothing that looks like a cluster."""
        if self.exists:
            raise NotReady(
                f"The database files in {self.cluster} are gone.",
                remedy=f"Put them back, or remove {self.home} and run `crm restore FILE` with your last backup.",
            )
        half = self.cluster.with_name("pg.new")
        if half.exists():
            shutil.rmtree(half)
        half.mkdir(mode=0o700)
        account.own(half)
        secret = self.sockets / "initdb.secret"
        secret.touch(mode=0o600)
        secret.write_text(self._passwords[Role.superuser])
        account.own(secret)
        # PostgreSQL's own locale, not the system's: the same letters and the same order on every machine, for ever.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        options = ["-U", Role.superuser, "-E", "UTF8", *locale, "--auth=scram-sha-256", "--data-checksums"]
        try:
            run([programs["initdb"], "-D", half, *options, f"--pwfile={secret}"], account, timeout=180)
        except NotReady as error:
            error.remedy = (
                error.remedy or "Free disk space, run as a user with an entry in /etc/passwd, or set DATABASE_URL."
            )
            raise
        finally:
            secret.unlink()
        with (half / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude = 'crm.conf'\n")
        half.rename(self.cluster)

    def _bring_up(self, programs: Programs, account: Account) -> bool:
        """Until a connection succeeds. A server that was just killed may still be ending: then it is tried again."""
        started, failures = False, 0
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._probe() == "ready":
                return started
            if self._running_pid() is None:
                self._clear_stale()
                try:
                    self._launch(programs, account)
                    started = True
                    continue
                except NotReady as error:
                    failures += 1
                    if failures == 8 or not any(word in str(error) for word in _BUSY):
                        error.remedy = error.remedy or f"The server's own words are in {self.log}."
                        raise
            time.sleep(min(0.1 * 2**failures, 3))
        raise NotReady("The embedded PostgreSQL does not answer.", remedy=f"Look into {self.log}; `crm stop` ends it.")

    def _launch(self, programs: Programs, account: Account) -> None:
        values = {**SETTINGS, **self.options, "unix_socket_directories": str(self.sockets)}
        conf = self.cluster / "crm.conf"
        conf.write_text("".join(f"{name} = '{value}'\n" for name, value in values.items()))
        conf.chmod(0o600)
        account.own(conf)
        start = [programs["pg_ctl"], "start", "-w", "-t", str(_START_SECONDS), "-D", self.cluster, "-l", self.log]
        run(start, account, timeout=_START_SECONDS + 10)
        (self.home / "starter").write_text(str(os.getpid()))

    def _probe(self) -> str:
        """ready, busy (starting, stopping, recovering) or down; by connecting, since a pid says little."""
        try:
            psycopg.connect(self.url(Role.superuser, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            said = str(error)
            if "password authentication failed" in said:
                raise NotReady(
                    f"The passwords in {self.home / 'roles.json'} are not those of the cluster in {self.cluster}.",
                    remedy="Put back the roles.json that was made with this cluster.",
                ) from error
            return "busy" if "starting up" in said or "shutting down" in said or "recovery" in said else "down"
        return "ready"

    def _running_pid(self) -> int | None:
        """Process id of the live server. A zombie, or a stranger that got the number since, is none."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except PermissionError:
            return None  # not of the server's account
        except (OSError, ValueError):
            return None
        process = Path(f"/proc/{pid}")
        if not process.exists():
            return pid if not Path("/proc/self").exists() else None
        try:
            is_zombie = process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
            is_ours = str(self.cluster) in process.joinpath("cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it ended while we looked
            return None
        return pid if is_ours and not is_zombie else None

    def _clear_stale(self) -> None:
        """Lock files of a dead server. PostgreSQL takes a zombie (a container whose first process reaps nobody) and a
        reused number for a live one. Backends that still run are seen by it through their shared memory."""
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.sockets.glob(".s.PGSQL.*"):
            lock.unlink(missing_ok=True)

    def _ensure_roles(self) -> None:
        with self._as_superuser() as connection:
            for role in (Role.owner, Role.app):
                if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.value]).fetchone() is None:
                    connection.execute(
                        sql.SQL(
                            "CREATE ROLE {} LOGIN PASSWORD {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
                        ).format(sql.Identifier(role), sql.Literal(self._passwords[role.value]))
                    )
        if not self.has_database(DATABASE):
            self.create_database(DATABASE)

    @contextmanager
    def _as_superuser(self) -> Iterator[psycopg.Connection]:
        with closing(psycopg.connect(self.url(Role.superuser, "postgres"), autocommit=True)) as connection:
            yield connection

    def _read_passwords(self) -> dict[str, str]:
        path = self.home / "roles.json"
        if not path.exists():
            return {}
        found: dict[str, str] = json.loads(path.read_text())
        return found

    def _write_passwords(self) -> dict[str, str]:
        if self.exists:
            raise NotReady(
                f"{self.home / 'roles.json'}, which holds the passwords of the database, is gone.",
                remedy="Put it back from where you keep copies of the data folder.",
            )
        made = {role.value: secrets.token_urlsafe(24) for role in Role}
        half = self.home / "roles.json.new"
        half.touch(mode=0o600)
        half.write_text(json.dumps(made))
        half.rename(self.home / "roles.json")
        return made


def _mark(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:16]
