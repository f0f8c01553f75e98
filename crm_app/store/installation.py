"""Notes of the installation about itself, in a table that exists before the first migration.

One row per key: what migration runs (`migration_run`), what the secret key must open (`key_check`).
"""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_TABLE = """
CREATE TABLE IF NOT EXISTS installation (
    key text PRIMARY KEY, value jsonb NOT NULL, noted_at timestamptz NOT NULL DEFAULT now()
)
"""


def prepare(connection: psycopg.Connection) -> None:
    """Make the table if it is missing; only the owner role can."""
    if not exists(connection):
        connection.execute(_TABLE)


def exists(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT to_regclass('public.installation') IS NOT NULL").fetchone()
    return bool(row and row[0])


def read(connection: psycopg.Connection, key: str) -> Any:
    """The note, or None."""
    if not exists(connection):
        return None
    row = connection.execute("SELECT value FROM installation WHERE key = %s", [key]).fetchone()
    return row[0] if row else None


def write(connection: psycopg.Connection, key: str, value: Any) -> None:
    connection.execute(
        "INSERT INTO installation (key, value) VALUES (%s, %s)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value, noted_at = now()",
        [key, Jsonb(value)],
    )


def forget(connection: psycopg.Connection, key: str) -> None:
    connection.execute("DELETE FROM installation WHERE key = %s", [key])
