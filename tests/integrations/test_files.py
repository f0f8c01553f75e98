"""Both places keep files alike: a folder, and a bucket behind the S3 protocol on the loopback."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from crm_app.integrations.files import BucketFiles, Files, FilesRefused, FolderFiles, key_of
from crm_app.models.base import new_id
from crm_app.store.uow import unit_of_work
from tests.integrations import s3


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    with s3.s3_server() as endpoint:
        yield endpoint


def bucket(endpoint: str, name: str = s3.BUCKET, access_key: str = s3.ACCESS_KEY) -> BucketFiles:
    return BucketFiles(name, endpoint=endpoint, region="us-east-1", access_key=access_key, secret_key=s3.SECRET_KEY)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "folder":
        return FolderFiles(tmp_path / "files")
    return bucket(request.getfixturevalue("s3_server"))


def a_file(folder: Path, content: bytes) -> Path:
    path = folder / new_id().hex
    path.write_bytes(content)
    return path


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def keys(place: Files, tenant: UUID) -> list[str]:
    return [kept.key async for kept in place.listed(tenant)]


async def test_kept_read_listed_deleted(place, tmp_path):
    tenant, other = new_id(), new_id()
    one, two, foreign = key_of(tenant, new_id()), key_of(tenant, new_id()), key_of(other, new_id())
    for key, content in ((one, b"one"), (two, b""), (foreign, b"theirs")):
        await place.put(key, a_file(tmp_path, content))
    assert await whole(await place.read(one)) == b"one"
    assert await whole(await place.read(two)) == b""
    assert sorted(await keys(place, tenant)) == sorted([one, two])
    kept = [k async for k in place.listed(other)]
    assert [(k.key, k.size, k.changed_at.tzinfo is not None) for k in kept] == [(foreign, 6, True)]
    await place.delete([one, key_of(tenant, new_id())])  # one of them was never there
    assert await keys(place, tenant) == [two]
    with pytest.raises(FilesRefused, match="missing"):
        await place.read(one)


async def test_a_large_file_comes_back_as_it_was(place, tmp_path):
    content = bytes(range(256)) * 4096 * 24  # 24 MB: several parts
    key = key_of(new_id(), new_id())
    await place.put(key, a_file(tmp_path, content))
    assert await whole(await place.read(key)) == content
    await place.delete([key])


@pytest.mark.parametrize(
    "key", ["../secret.key", "/etc/passwd", "a/b", "", "0" * 32, f"{'0' * 32}/../{'0' * 32}", "x\x00"]
)
async def test_no_key_leads_out_of_the_place(place, tmp_path, key):
    path = a_file(tmp_path, b"x")
    for attempt in (place.put(key, path), place.read(key), place.delete([key])):
        with pytest.raises(ValueError, match="is not the key"):
            await attempt


async def test_no_file_moves_while_a_transaction_is_open(place, tmp_path, admin):
    key = key_of(admin.tenant_id, new_id())
    async with unit_of_work(admin):
        with pytest.raises(RuntimeError, match="outside the unit of work"):
            await place.put(key, a_file(tmp_path, b"x"))
        with pytest.raises(RuntimeError, match="outside the unit of work"):
            await place.read(key)


async def test_a_bucket_that_is_not_there_is_told(s3_server, tmp_path):
    with pytest.raises(FilesRefused):
        await bucket(s3_server, "nobodys").put(key_of(new_id(), new_id()), a_file(tmp_path, b"x"))


async def test_a_key_without_the_right_is_told(s3_server, tmp_path):
    with pytest.raises(FilesRefused, match="must look at its keys"):
        await bucket(s3_server, access_key="stranger").put(key_of(new_id(), new_id()), a_file(tmp_path, b"x"))


async def test_a_full_disk_is_told(tmp_path):
    blocked = tmp_path / "files"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(FilesRefused, match="cannot keep"):
        await FolderFiles(blocked).put(key_of(new_id(), new_id()), a_file(tmp_path, b"x"))


async def test_half_a_file_is_never_seen(tmp_path):
    place = FolderFiles(tmp_path / "files")
    tenant, file_id = new_id(), new_id()
    await place.put(key_of(tenant, file_id), a_file(tmp_path, b"whole"))
    (tmp_path / "files" / tenant.hex / f"{new_id().hex}.part").write_bytes(b"ha")
    assert await keys(place, tenant) == [key_of(tenant, file_id)]
