"""Headers of every answer; for pages the content security policy, which knows the inline scripts of that very page."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from crm_app.settings import ROOT, settings

BUILD = ROOT / ".web" / "build" / "client"
_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
_POLICY = (
    "default-src 'self'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-src 'self'; frame-ancestors 'none'"
)
_SCRIPT_FILE = "default-src 'self'"  # a worker runs under the policy of its file
_FILE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # opened by itself it runs nothing
# Files that people attached. Only a PDF may stand in a page of ours: the reader of the browser refuses a sandbox.
_ATTACHED = "/api/files/"
_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
_PDF = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
_EVERYWHERE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"),
)


def added(path: str, content_type: str, has_cache_control: bool) -> list[tuple[bytes, bytes]]:
    """The headers to add to an answer for this path."""
    is_page = content_type.startswith("text/html")
    is_framed = path.startswith(_ATTACHED) and content_type == "application/pdf"
    found = [
        *_EVERYWHERE,
        (b"x-frame-options", b"SAMEORIGIN" if is_framed else b"DENY"),
        (b"content-security-policy", _policy(path, content_type).encode()),
    ]
    if settings().is_secure:
        found.append((b"strict-transport-security", b"max-age=31536000"))
    if not has_cache_control:
        found.append((b"cache-control", _caching(path, is_page).encode()))
    return found


def _policy(path: str, content_type: str) -> str:
    if path.startswith(_ATTACHED):
        return _PDF if content_type == "application/pdf" else _SANDBOX
    if content_type.startswith("text/html"):
        return page_policy(path)
    return _SCRIPT_FILE if "javascript" in content_type else _FILE


def _caching(path: str, is_page: bool) -> str:
    if is_page or path.startswith(("/api/", "/auth/")):
        return "no-store"  # nothing of a signed-in page may come back after signing out
    if path.startswith("/assets/"):
        return "public, max-age=31536000, immutable"  # the build puts a digest into the name
    return "public, max-age=86400" if path.startswith(("/fonts/", "/external/")) else "no-cache"


def page_policy(path: str) -> str:
    """The policy for the document served at `path`; what has no file of its own is served from 404.html."""
    known = _inline_scripts(BUILD)
    place = path.strip("/")
    for file in (f"{place}/index.html" if place else "index.html", f"{place}.html", place):
        if file in known:
            return known[file]
    return known.get("404.html", _POLICY.format(hashes=""))


@cache
def _inline_scripts(build: Path) -> dict[str, str]:
    """File below the build -> its policy. Read at the first request: at import the build may still be the old one."""
    return {str(file.relative_to(build)): _POLICY.format(hashes=_hashes(file)) for file in build.rglob("*.html")}


def _hashes(file: Path) -> str:
    bodies = [body for attributes, body in _SCRIPT.findall(file.read_text()) if "src=" not in attributes and body]
    digests = dict.fromkeys(base64.b64encode(hashlib.sha256(b.encode()).digest()).decode() for b in bodies)
    return "".join(f" 'sha256-{d}'" for d in digests)
