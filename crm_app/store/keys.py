"""The secret key of the installation and the keys derived from it."""

import base64
import binascii
import os
import secrets
from pathlib import Path

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crm_app.core.errors import NotReady
from crm_app.settings import settings
from crm_app.store import installation

KEY_BYTES = 32
CHECK = "key_check"  # the note in the installation table
_CHECK_TEXT = b"SalesCompass"
_MEND = "Put back the key that the data was written with, in CRM_SECRET_KEY or in {path}."


def key_file() -> Path:
    return settings().data_dir / "secret.key"


def is_present() -> bool:
    return settings().secret_key is not None or key_file().exists()


def secret_key() -> bytes:
    """32 bytes, from the settings or the data folder. NotReady when there is none or it is malformed."""
    chosen = settings().secret_key
    if not is_present():
        raise NotReady(f"There is no secret key: {key_file()} is missing.", remedy=_MEND.format(path=key_file()))
    text = chosen.get_secret_value() if chosen is not None else key_file().read_text()
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        where = "CRM_SECRET_KEY" if chosen is not None else str(key_file())
        raise NotReady(
            f"The secret key in {where} is not {KEY_BYTES} bytes in base64.",
            remedy=f"{_MEND.format(path=key_file())} A new one for an empty installation: `openssl rand -base64 32`.",
        )
    return key


def derived_key(purpose: str) -> bytes:
    """32 bytes for one purpose ("session", "field"): what leaks of one says nothing of another."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(secret_key())


def establish(connection: psycopg.Connection) -> None:
    """Make the key of a new installation, or prove that the key at hand is the one the data was written with."""
    if not is_sealed(connection):
        if not is_present():
            _make_key()
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(derived_key("check")).encrypt(nonce, _CHECK_TEXT, None)
        installation.write(connection, CHECK, base64.b64encode(sealed).decode())
    elif not fits(connection):
        raise NotReady(
            "The secret key is not the one this database was written with.", remedy=_MEND.format(path=key_file())
        )


def is_sealed(connection: psycopg.Connection) -> bool:
    """Whether this database was written with some key."""
    return installation.read(connection, CHECK) is not None


def fits(connection: psycopg.Connection) -> bool | None:
    """Whether the key at hand opens what the installation sealed at its start; None when nothing is sealed yet."""
    noted = installation.read(connection, CHECK)
    if noted is None:
        return None
    sealed = base64.b64decode(str(noted))
    try:
        return AESGCM(derived_key("check")).decrypt(sealed[:12], sealed[12:], None) == _CHECK_TEXT
    except InvalidTag:
        return False


def _make_key() -> None:
    path = key_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    half.touch(mode=0o600)
    half.write_text(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
    half.rename(path)
