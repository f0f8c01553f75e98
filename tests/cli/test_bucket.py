"""Files in a bucket: taken along by a backup, put back by a restore, looked for by the doctor."""

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import obstore
import psycopg
import pytest

from crm_app.integrations.files import BucketFiles, key_of
from crm_app.models.base import new_id
from crm_app.store.databases import DatabaseUrls
from tests.cli.runs import crm
from tests.integrations import s3

Make = Callable[..., DatabaseUrls]
LARGE = bytes(range(256)) * 4096 * 12  # 12 MB: several parts


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[tuple[BucketFiles, dict[str, Any]]]:
    """An empty one, and the settings of a machine that uses it."""
    with s3.s3_server() as endpoint:
        place = BucketFiles(
            s3.BUCKET, endpoint=endpoint, region="us-east-1", access_key=s3.ACCESS_KEY, secret_key=s3.SECRET_KEY
        )
        yield (
            place,
            {
                "CRM_S3_BUCKET": s3.BUCKET,
                "CRM_S3_ENDPOINT": endpoint,
                "CRM_S3_ACCESS_KEY": s3.ACCESS_KEY,
                "CRM_S3_SECRET_KEY": s3.SECRET_KEY,
                "CRM_DATA_DIR": tmp_path,
            },
        )


def keep(place: BucketFiles, key: str, content: bytes, folder: Path) -> None:
    path = folder / "x"
    path.write_bytes(content)
    with path.open("rb") as file:
        place.take(key, file)


def read(place: BucketFiles, key: str) -> bytes | None:
    found = place.content(key)
    return found[1].read() if found else None


def lose(place: BucketFiles, *keys: str) -> None:
    obstore.delete(place._store, keys)


def attach(urls: DatabaseUrls, tenant_id: UUID, size: int) -> str:
    """A row that tells of a file, and the key under which it must lie."""
    file_id = new_id()
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO attachment (tenant_id, id, about, about_id, name, kind, size, sha256, created_at)"
            " VALUES (%s, %s, 'account', %s, 'offer.pdf', 'pdf', %s, '', now())",
            [tenant_id, file_id, new_id(), size],
        )
    return key_of(tenant_id, file_id)


def test_a_backup_takes_the_bucket_along_and_a_restore_puts_it_back(bucket, another_database: Make, tmp_path: Path):
    place, machine = bucket
    small, large, other = (key_of(new_id(), new_id()) for _ in range(3))
    keep(place, small, b"small", tmp_path)
    keep(place, large, LARGE, tmp_path)
    urls = another_database()
    answer = crm("backup", tmp_path / "copy.crm", urls=urls, **machine)
    assert answer.code == 0 and "2 uploaded files are in it" in answer.lines, answer.text
    lose(place, small, large)
    keep(place, other, b"came since", tmp_path)
    answer = crm("restore", tmp_path / "copy.crm", urls=another_database(migrated=False), **machine)
    assert answer.code == 0, answer.text
    assert (read(place, small), read(place, large), read(place, other)) == (b"small", LARGE, b"came since")

    elsewhere = {"CRM_DATA_DIR": tmp_path / "folder"}  # a machine without a bucket
    assert crm("restore", tmp_path / "copy.crm", urls=another_database(migrated=False), **elsewhere).code == 0
    assert (tmp_path / "folder" / "files" / large).read_bytes() == LARGE


def test_what_is_left_out_is_said(bucket, another_database: Make, tmp_path: Path):
    place, machine = bucket
    keep(place, key_of(new_id(), new_id()), b"x", tmp_path)
    answer = crm("backup", tmp_path / "copy.crm", "--without-files", urls=another_database(), **machine)
    assert "The uploaded files are not in it: keep a copy of the bucket crm yourself." in answer.lines, answer.text
    with tarfile.open(tmp_path / "copy.crm") as tar:
        assert sorted(tar.getnames()) == ["database.dump", "manifest.json"]


def test_a_bucket_that_does_not_answer_stops_it_before_anything_happens(bucket, another_database: Make, tmp_path: Path):
    _, machine = bucket
    urls = another_database()
    assert crm("backup", tmp_path / "copy.crm", urls=urls, **machine).code == 0
    wrong = machine | {"CRM_S3_ACCESS_KEY": "stranger"}
    answer = crm("backup", tmp_path / "other.crm", urls=urls, **wrong)
    assert answer.code == 1 and "must look at its keys" in answer.lines
    assert not (tmp_path / "other.crm").exists()
    target = another_database(migrated=False)
    assert crm("restore", tmp_path / "copy.crm", urls=target, **wrong).code == 1
    with psycopg.connect(target.owner) as connection:
        assert connection.execute("SELECT to_regclass('public.workspace')").fetchone() == (None,)


def test_the_doctor_finds_what_is_lost_and_the_remedy_works(bucket, another_database: Make, tmp_path: Path):
    place, machine = bucket
    urls = another_database()
    kept, damaged = (attach(urls, UUID(int=1), 5) for _ in range(2))
    keep(place, kept, b"12345", tmp_path)
    keep(place, damaged, b"12345", tmp_path)
    assert crm("backup", tmp_path / "copy.crm", urls=urls, **machine).code == 0

    def found() -> tuple[str, str, str]:
        checks = json.loads(crm("doctor", "--json", urls=urls, **machine).text)
        check = next(c for c in checks if c["name"] == "Files")
        return check["level"], check["found"], check["remedy"]

    assert found()[:2] == ("ok", "2 in the bucket crm")
    lose(place, kept)
    keep(place, damaged, b"123", tmp_path)
    level, what, remedy = found()
    assert level == "fail" and "2 of 2 are missing or damaged in the bucket crm, such as offer.pdf" in what
    assert "crm restore BACKUP --files-only" in remedy
    answer = crm("restore", tmp_path / "copy.crm", "--files-only", urls=urls, **machine)
    assert answer.code == 0 and "2 lost files are back" in answer.lines, answer.text
    assert found()[0] == "ok"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CRM_S3_ACCESS_KEY": "stranger"}, "may not keep files"),
        ({"CRM_S3_BUCKET": "nobodys"}, "There is nothing like the bucket nobodys"),
    ],
)
def test_the_doctor_says_why_a_bucket_does_not_work(bucket, another_database: Make, wrong: dict[str, Any], said: str):
    answer = crm("doctor", "--json", urls=another_database(), **(bucket[1] | wrong))
    check = next(c for c in json.loads(answer.text) if c["name"] == "Files")
    assert (answer.code, check["level"]) == (1, "fail") and said in check["found"], check
    assert "CRM_S3_BUCKET" in check["remedy"]
