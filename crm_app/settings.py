"""Settings of an installation: the only reader of the environment (and of `.env` beside the sources)."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent  # the folder that holds crm_app, alembic and rxconfig.py


def _url(name: str) -> Any:
    """Hosts set these names without our prefix; both spellings are read, ours first. They hold passwords."""
    return Field(default="", validation_alias=AliasChoices(f"CRM_{name}", name), repr=False)


class Settings(BaseSettings):
    """Every field is read from `CRM_<NAME>`; what a field left empty means stands beside it."""

    model_config = SettingsConfigDict(
        env_prefix="CRM_",
        env_file=os.environ.get("CRM_ENV_FILE", ROOT / ".env"),
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    data_dir: Path = Path(".data")  # cluster, keys, backups, uploads; relative to the sources
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    base_url: str = ""  # address people use, without a slash at the end; empty: http://localhost:<port>

    database_url: str = _url("DATABASE_URL")  # empty: embedded PostgreSQL, see store.databases
    database_owner_url: str = _url("DATABASE_OWNER_URL")  # migrates; empty: database_url
    database_direct_url: str = _url("DATABASE_DIRECT_URL")  # past a pooler, for LISTEN and locks; empty: database_url
    redis_url: str = _url("REDIS_URL")  # needed with more than one worker
    pg_bin: Path | None = None  # folder with initdb, pg_ctl, pg_dump; None: those of the wheel

    secret_key: SecretStr | None = None  # 32 bytes, base64; None: made once and kept in data_dir/secret.key

    session_idle_hours: int = Field(default=336, ge=1)  # a session that nobody uses ends after this
    session_days: int = Field(default=30, ge=1)  # and every session after this
    open_sign_up: bool = True  # whether anybody who reaches the sign-up page may found a workspace

    api_access_minutes: int = Field(default=15, ge=1, le=1440)  # an access token of an app is good for this long
    api_refresh_days: int = Field(default=30, ge=1)  # and may be renewed for this long after the last time
    api_per_minute: int = Field(default=600, ge=1)  # requests of one key or app, unless its key says otherwise

    smtp_host: str = ""  # empty: no mail leaves; an admin is shown the links instead
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""  # "SalesCompass <crm@example.com>"
    smtp_tls: str = Field(default="starttls", pattern="^(starttls|tls|none)$")

    file_most_mb: int = Field(default=50, ge=1, le=500)  # the largest file that can be attached
    files_most_gb: int = Field(default=20, ge=1)  # all files of a workspace together
    s3_bucket: str = ""  # empty: attached files lie below data_dir; else in this bucket of an S3-compatible store
    s3_endpoint: str = ""  # https://minio.example.com; empty: Amazon's own, by region
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")

    workers: int = Field(default=1, ge=1)
    pool_size: int = Field(default=10, ge=1)  # connections to PostgreSQL per process
    worker_in_process: bool = True  # run background jobs in the web process
    proxy_hops: int = Field(default=0, ge=0)  # reverse proxies in front whose X-Forwarded-For is believed

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("database_url", "database_owner_url", "database_direct_url")
    @classmethod
    def _plain_scheme(cls, value: str) -> str:
        """`postgres://` and `postgresql+driver://` become `postgresql://`, which psycopg, libpq and we agree on."""
        scheme, sep, rest = value.partition("://")
        if value and (not sep or scheme.partition("+")[0] not in ("postgres", "postgresql")):
            raise ValueError("must look like postgresql://user:password@host:5432/database")
        return f"postgresql://{rest}" if value else ""

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        fill = object.__setattr__  # frozen for everybody else
        fill(self, "data_dir", (ROOT / self.data_dir.expanduser()).resolve())
        fill(self, "base_url", self.base_url or f"http://localhost:{self.port}")
        if self.database_owner_url and not self.database_url:
            raise ValueError(
                "DATABASE_OWNER_URL is set without DATABASE_URL: set both, or neither (embedded PostgreSQL)"
            )
        fill(self, "database_owner_url", self.database_owner_url or self.database_url)
        fill(self, "database_direct_url", self.database_direct_url or self.database_url)
        return self

    @property
    def is_embedded(self) -> bool:
        return not self.database_url

    @property
    def is_secure(self) -> bool:
        """Cookies get `Secure` and HSTS is sent when people come over https."""
        return self.base_url.startswith("https://")


@cache
def settings() -> Settings:
    """Read once per process; `settings.cache_clear()` after changing the environment."""
    return Settings()
