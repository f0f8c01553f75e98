"""A store that speaks the S3 protocol on the loopback, as far as a client of files goes: single and multipart uploads,
ranges, listing in pages, deleting many, and the errors of a missing bucket, key or right."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BUCKET, ACCESS_KEY, SECRET_KEY = "crm", "key", "secret"
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_PAGE = 1000


class Store:
    """What the bucket holds, and the parts of uploads that are not complete."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, datetime]] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}

    async def answer(self, request: Request) -> Response:
        if f"Credential={ACCESS_KEY}/" not in request.headers.get("authorization", ""):
            return _error(403, "AccessDenied")
        if request.path_params["bucket"] != BUCKET:
            return _error(404, "NoSuchBucket")
        key, asked = request.path_params.get("key", ""), request.query_params
        body = await request.body()
        if request.method == "GET" and not key:
            return self._list(asked.get("prefix", ""), asked.get("continuation-token", ""))
        if request.method == "POST":
            return self._post(key, asked, body)
        if request.method == "PUT":
            return self._put(key, asked, body)
        if request.method == "DELETE":
            self.kept.pop(key, None)
            return Response(status_code=204)
        return self._get(key, request.headers.get("range", ""), head_only=request.method == "HEAD")

    def _put(self, key: str, asked: dict[str, str], body: bytes) -> Response:
        if upload := asked.get("uploadId"):
            self.uploads[upload][int(asked["partNumber"])] = body
        else:
            self.kept[key] = (body, datetime.now(UTC))
        return Response(headers={"ETag": _tag(body)})

    def _post(self, key: str, asked: dict[str, str], body: bytes) -> Response:
        if "delete" in asked:
            gone = [e.text or "" for e in ET.fromstring(body).iter() if e.tag.removeprefix(_NAMESPACE) == "Key"]
            for name in gone:
                self.kept.pop(name, None)
            told = "".join(f"<Deleted><Key>{escape(n)}</Key></Deleted>" for n in gone)
            return _xml(f"<DeleteResult>{told}</DeleteResult>")
        if "uploads" in asked:
            upload = f"upload{len(self.uploads)}"
            self.uploads[upload] = {}
            return _xml(
                f"<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
        parts = self.uploads.pop(asked["uploadId"])
        whole = b"".join(parts[n] for n in sorted(parts))
        self.kept[key] = (whole, datetime.now(UTC))
        return _xml(
            f"<CompleteMultipartUploadResult><Location>/{BUCKET}/{escape(key)}</Location><Bucket>{BUCKET}</Bucket>"
            f"<Key>{escape(key)}</Key><ETag>{escape(_tag(whole))}</ETag></CompleteMultipartUploadResult>"
        )

    def _get(self, key: str, wanted: str, *, head_only: bool) -> Response:
        if key not in self.kept:
            return _error(404, "NoSuchKey")
        content, changed = self.kept[key]
        told = {"ETag": _tag(content), "Last-Modified": format_datetime(changed, usegmt=True)}
        status = 200
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(content)), len(content) - 1)
            told["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
            content, status = content[start : end + 1], 206
        if head_only:
            return Response(status_code=status, headers=told | {"Content-Length": str(len(content))})
        return Response(content, status_code=status, headers=told)

    def _list(self, prefix: str, after: str) -> Response:
        names = sorted(n for n in self.kept if n.startswith(prefix) and n > after)
        page, more = names[:_PAGE], len(names) > _PAGE
        told = "".join(
            f"<Contents><Key>{escape(n)}</Key><LastModified>{self.kept[n][1]:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(_tag(self.kept[n][0]))}</ETag><Size>{len(self.kept[n][0])}</Size></Contents>"
            for n in page
        )
        following = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return _xml(
            f"<ListBucketResult><Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"
            f"<MaxKeys>{_PAGE}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{following}{told}"
            "</ListBucketResult>"
        )


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _xml(body: str, status: int = 200) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{body}', status_code=status, media_type="application/xml")


def _error(status: int, code: str) -> Response:
    return _xml(f"<Error><Code>{code}</Code><Message>{code}</Message></Error>", status)


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of one with the empty bucket BUCKET."""
    store = Store()
    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    routes = [Route(path, store.answer, methods=methods) for path in ("/{bucket}", "/{bucket}/{key:path}")]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
