"""Lists as files: what stands in them, what must not, who may, and what the audit log keeps."""

import asyncio
import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import fastexcel
import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.conditions import Clause
from crm_app.core.errors import Conflict, CrmError, Forbidden, Invalid, NotFound
from crm_app.core.fields import MASKED
from crm_app.core.views import View
from crm_app.integrations.files import BucketFiles, FolderFiles, exported, key_of, use
from crm_app.jobs import exports
from crm_app.jobs.exports import forget_exports
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.platform.exports import ExportFile, ExportStatus
from crm_app.services.platform import export_keeping, exporting, records
from crm_app.services.platform.exporting import FORMS
from crm_app.settings import settings
from crm_app.store import downloads
from crm_app.store.uow import unit_of_work
from tests.integrations import s3
from tests.services.platform.test_bulk import people, rows
from tests.services.sales.deals import a_deal
from tests.work import forget_jobs, work_off

CONTACT, DEAL = "contact", "opportunity"
HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "  =1", "'=1")
ALL_OF_THEM = View()
_log = table_of(AuditEntry)


async def export(actor, name, form, view=ALL_OF_THEM, ids=None):
    async with unit_of_work(actor) as uow:
        begun = await exporting.start(uow, registry.get(name), view, form, operation_id=new_id(), record_ids=ids)
    return await export_keeping.keep_now(actor, begun.id)


def lying(actor, made):
    """The file where it is kept."""
    return settings().data_dir / "exports" / key_of(actor.tenant_id, made.id)


def text(actor, made):
    return lying(actor, made).read_text("utf-8-sig")


def lines(actor, made):
    return list(csv.reader(io.StringIO(text(actor, made), newline="")))


def cells(actor, made):
    reader = fastexcel.read_excel(lying(actor, made).read_bytes())
    frame = reader.load_sheet(0, header_row=None).to_polars()
    return [list(r) for r in frame.rows()]


def xml(actor, made):
    with zipfile.ZipFile(lying(actor, made)) as book:
        return book.read("xl/worksheets/sheet1.xml").decode()


async def kept(actor):
    return [k.key async for k in exported().listed(actor.tenant_id)]


async def test_the_columns_order_and_filter_are_those_of_the_view(admin):
    await people(admin, 3, city="Graz")
    await people(admin, 1, city="Linz")
    view = View(
        columns=("name", "city", "owner_id"), sort="last_name", descending=True, filter=Clause("city", "eq", "Graz")
    )
    made = await export(admin, CONTACT, "csv", view)
    async with unit_of_work(admin) as uow:
        name = f"contacts-{uow.today}.csv"
    assert (made.status, made.rows, made.name) == (ExportStatus.done, 3, name)
    assert lines(admin, made) == [
        ["Name", "City", "Owner"],
        *([f"Person 000{n}", "Graz", "Ada Admin"] for n in (2, 1, 0)),
    ]
    assert cells(admin, await export(admin, CONTACT, "xlsx", view))[1:] == lines(admin, made)[1:]


async def test_only_the_chosen_ones_are_written(admin):
    ids = await people(admin, 3)
    made = await export(admin, CONTACT, "csv", View(columns=("name",)), ids=[ids[2], ids[0]])
    assert lines(admin, made) == [["Name"], ["Person 0000"], ["Person 0002"]]


async def test_values_keep_their_kind_in_a_spreadsheet(admin):
    async with unit_of_work(admin) as uow:
        day = uow.today + timedelta(days=5)
    await a_deal(admin, "Roll-out", amount_minor=1_234_56, currency="EUR", expected_close_on=day, probability=40)
    view = View(columns=("name", "amount_minor", "probability", "expected_close_on", "tags"))
    made = await export(admin, DEAL, "xlsx", view)
    head, row = cells(admin, made)
    assert head == ["Name", "Amount", "Probability", "Close date", "Tags"]
    assert '<c r="B2"' in xml(admin, made) and "<v>1234.56</v>" in xml(admin, made)
    assert [str(c) for c in row[2:4]] == ["0.4", f"{day}"] or row[3]
    made = await export(admin, DEAL, "csv", view)
    assert lines(admin, made)[1][:4] == ["Roll-out", "1234.56", "EUR", "40"]


@pytest.mark.parametrize("form", FORMS)
async def test_nothing_runs(admin, form):
    contact = registry.get(CONTACT)
    async with unit_of_work(admin) as uow:
        for words in HOSTILE:
            await records.create(uow, contact, {"last_name": "x", "city": words, "title": f"{words}\r\n=2"})
    made = await export(admin, CONTACT, form, View(columns=("name", "city", "title"), sort="city"))
    if form == "csv":
        found = lines(admin, made)[1:]
        assert len(found) == len(HOSTILE)
        assert all(c[0] == "'" for r in found for c in r[1:])
    elif form == "xlsx":
        sheet = xml(admin, made)
        assert "<f>" not in sheet and "<hyperlink" not in sheet
        assert sorted(r[1] for r in cells(admin, made)[1:]) == sorted(HOSTILE)
        with zipfile.ZipFile(lying(admin, made)) as book:
            assert 'quotePrefix="1"' in book.read("xl/styles.xml").decode()
    else:
        assert lying(admin, made).read_bytes().startswith(b"%PDF-1")


async def test_long_and_strange_values_do_not_break_a_file(admin):
    contact = registry.get(CONTACT)
    strange = [
        "x" * 40_000,
        'quote " comma, semicolon; tab\t',
        "line\nbreak",
        "日本 Ελλάδα Привет 🙂 \u202e",
        "<script>&amp;",
    ]
    async with unit_of_work(admin) as uow:
        for words in strange:
            await records.create(uow, contact, {"last_name": "Strange", "description": words})
    view = View(columns=("name", "description"))
    found = sorted(r[1] for r in lines(admin, await export(admin, CONTACT, "csv", view))[1:])
    assert found == sorted(strange)
    sheet = [r[1] for r in cells(admin, await export(admin, CONTACT, "xlsx", view))[1:]]
    assert max(map(len, sheet)) == 32_000 and "line\nbreak" in sheet
    assert (await export(admin, CONTACT, "pdf", view)).rows == len(strange)


async def test_days_before_spreadsheets_and_numbers_beyond_them_stay_exact():
    from crm_app.core.registry import FieldSpec, Kind
    from crm_app.services.platform.export_files import Sheet, XlsxWriter

    specs = (
        FieldSpec("day", "Day", Kind.date), FieldSpec("number", "Number", Kind.number),
        FieldSpec("at", "At", Kind.datetime), FieldSpec("yes", "Yes", Kind.flag),
    )  # fmt: skip
    night = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    with downloads.passing() as folder:
        writer = XlsxWriter(folder / "x.xlsx", Sheet("A/B: [x]", specs, time_zone="Europe/Berlin"))
        writer.write([
            {"day": date(1815, 12, 10), "number": 12345678901234567, "at": night, "yes": True},
            {"day": None, "number": None, "at": None, "yes": None},
        ])  # fmt: skip
        writer.close()
        (row,) = fastexcel.read_excel(str(folder / "x.xlsx")).load_sheet(0).to_polars().drop_nulls().rows()
    assert "1815" in str(row[0])
    assert str(row[1]).replace("\u202f", "") == "12345678901234567"
    assert str(row[2]) == "2026-01-02 00:30:00"
    assert row[3] is True


async def test_the_audit_log_keeps_who_took_what(admin):
    await people(admin, 2, city="Graz")
    view = View(columns=("name", "city"), filter=Clause("city", "eq", "Graz"), query="")
    made = await export(admin, CONTACT, "csv", view)
    async with unit_of_work(admin) as uow:
        (entry,) = await uow.rows(sa.select(_log).where(_log.c.action == "export"))
    assert (entry.user_id, entry.entity, entry.record_id, entry.ip) == (admin.user_id, CONTACT, made.id, admin.ip)
    assert entry.changes == {
        "form": "csv", "rows": 2, "columns": ["name", "city"],
        "view": {"columns": ["name", "city"], "filter": {"field": "city", "op": "eq", "value": "Graz"}},
    }  # fmt: skip


async def test_many_rows_are_a_job_and_land_in_the_list(admin, monkeypatch):
    monkeypatch.setattr(exporting, "DIRECT", dict.fromkeys(FORMS, 2))
    await forget_jobs()
    await people(admin, 5)
    async with unit_of_work(admin) as uow:
        begun = await exporting.start(uow, registry.get(CONTACT), View(), "csv", operation_id=new_id())
    assert begun.status is ExportStatus.running
    await work_off()
    async with unit_of_work(admin) as uow:
        (made,) = await exporting.listed(uow)
        assert (made.status, made.rows, made.size) == (
            ExportStatus.done,
            5,
            lying(admin, begun).stat().st_size,
        )
        await exporting.discard(uow, begun.id)
        assert await exporting.listed(uow) == []
    await work_off()
    assert await kept(admin) == []


async def test_a_right_lost_before_the_job_runs_makes_no_file(workspace, manager, admin, alice, monkeypatch):
    monkeypatch.setattr(exporting, "DIRECT", dict.fromkeys(FORMS, 0))
    await forget_jobs()
    await people(alice, 2)
    async with unit_of_work(manager) as uow:
        begun = await exporting.start(uow, registry.get(CONTACT), View(), "csv", operation_id=new_id())
    users = registry.get("user").table
    async with unit_of_work(admin) as uow:
        mine = users.c.id == manager.user_id
        await uow.execute(sa.update(users).where(mine).values(role_id=workspace.roles["rep"]))
    await work_off()
    async with unit_of_work(manager) as uow:
        (failed,) = await exporting.listed(uow)
    assert failed.status is ExportStatus.failed and "does not let you export" in failed.error
    assert await kept(manager) == []
    async with unit_of_work(admin) as uow:
        assert await uow.rows(sa.select(_log).where(_log.c.action == "export")) == []
    assert begun.rows == 0


async def test_limits_are_told_before(admin, monkeypatch):
    monkeypatch.setattr(exporting, "MOST", {"pdf": 2})
    await people(admin, 3)
    with pytest.raises(Invalid, match="A PDF holds 2 rows"):
        await export(admin, CONTACT, "pdf")
    with pytest.raises(Invalid, match="no contacts"):
        await export(admin, CONTACT, "csv", View(query="zzz"))
    with pytest.raises(Invalid, match="must be one of"):
        await export(admin, CONTACT, "exe")
    monkeypatch.setattr(exporting, "MOST_RUNNING", 1)
    monkeypatch.setattr(exporting, "DIRECT", dict.fromkeys(FORMS, 0))
    for refused in (False, True):
        try:
            async with unit_of_work(admin) as uow:
                await exporting.start(uow, registry.get(CONTACT), View(), "csv", operation_id=new_id())
        except Conflict:
            assert refused


async def test_a_week_later_it_is_gone(admin):
    await people(admin, 1)
    made = await export(admin, CONTACT, "csv")
    async with unit_of_work(admin) as uow:
        uow.now += timedelta(days=8)
        await exporting.sweep(uow)
        assert await uow.scalar(sa.select(sa.func.count()).select_from(table_of(ExportFile))) == 0
    assert lying(admin, made).exists()
    await work_off()
    assert await kept(admin) == []


async def test_what_nobody_wants_any_more_stops_and_leaves_nothing(admin, monkeypatch):
    """Before it is begun, in its midst, and in the very last moment."""
    monkeypatch.setattr(exporting, "_EVERY", 0)
    monkeypatch.setattr(records, "_PIECE", 2)
    await people(admin, 6)
    seen = []

    async def begun():
        async with unit_of_work(admin) as uow:
            asked = await exporting.start(uow, registry.get(CONTACT), View(), "csv", operation_id=new_id())
        return asked.id

    async def cancel(export_id):
        async with unit_of_work(admin) as uow:
            await exporting.cancel(uow, export_id)

    early, midst, late = await begun(), await begun(), await begun()
    await cancel(early)
    with pytest.raises(NotFound):
        await export_keeping.keep(admin, early)

    async def told(rows):
        seen.append(rows)
        if rows == 2:
            await asyncio.create_task(cancel(midst))

    with pytest.raises(exporting.Cancelled):
        await export_keeping.keep(admin, midst, told=told)
    assert seen == [2]  # and no further
    put = FolderFiles.put

    async def put_and_cancel(place, key, path):
        await put(place, key, path)
        await cancel(late)

    monkeypatch.setattr(FolderFiles, "put", put_and_cancel)
    with pytest.raises(exporting.Cancelled):
        await export_keeping.keep(admin, late)
    assert await kept(admin) == []
    assert not list(downloads._root().glob("passing-*"))
    async with unit_of_work(admin) as uow:
        assert await exporting.listed(uow) == []
        notes = await uow.rows(sa.select(_log.c.record_id).where(_log.c.action == "export"))
    assert [n.record_id for n in notes] == [late]  # it was whole


async def test_what_is_there_is_not_cancelled(admin):
    await people(admin, 1)
    made = await export(admin, CONTACT, "csv")
    with pytest.raises(Conflict, match="written already"):
        async with unit_of_work(admin) as uow:
            await exporting.cancel(uow, made.id)
    assert lying(admin, made).exists()


async def test_a_place_that_refuses_is_told_and_leaves_no_row(admin, tmp_path):
    await people(admin, 1)
    (tmp_path / "exports").write_text("in the way")
    use(None, exported=FolderFiles(tmp_path / "exports"))
    try:
        with pytest.raises(CrmError, match="cannot keep the file"):
            await export(admin, CONTACT, "csv")
    finally:
        use(None)
    async with unit_of_work(admin) as uow:
        assert await exporting.listed(uow) == []


async def test_in_a_bucket_it_is_there_for_every_process(admin, tmp_path, monkeypatch):
    await people(admin, 2)
    with s3.s3_server() as endpoint:
        given = {"endpoint": endpoint, "region": "us-east-1", "access_key": s3.ACCESS_KEY, "secret_key": s3.SECRET_KEY}
        attached, place = BucketFiles(s3.BUCKET, **given), BucketFiles(s3.BUCKET, below="exports", **given)
        use(attached, exported=place)
        try:
            made = await export(admin, CONTACT, "csv")
            whole = b"".join([piece async for piece in await export_keeping.content(admin, made)])
            assert (len(whole), whole.count(b"\n")) == (made.size, 3)
            assert [k.key async for k in attached.listed(admin.tenant_id)] == []  # no attached file, and not tidied up
            stray = tmp_path / "stray"
            stray.write_bytes(b"its process died")
            await place.put(key_of(admin.tenant_id, new_id()), stray)
            await forget_exports(str(admin.tenant_id), [])
            assert len(await kept(admin)) == 2  # its row may still come
            monkeypatch.setattr(exports, "_YOUNG", timedelta(seconds=-5))
            await forget_exports(str(admin.tenant_id), [])
            assert await kept(admin) == [key_of(admin.tenant_id, made.id)]
        finally:
            use(None)


# -- Attacks ---------------------------------------------------------------------------------------------------------


async def test_without_the_right_there_is_no_file(alice, reader):
    await people(alice, 1)
    for actor in (alice, reader):
        for form in FORMS:
            with pytest.raises(Forbidden, match="export"):
                await export(actor, CONTACT, form)
    blind = replace(alice, permissions=frozenset({"contact.export"}))
    with pytest.raises(Forbidden, match="read"):
        await export(blind, CONTACT, "csv")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_is_hidden_is_not_in_it_and_what_is_masked_is_masked(admin, form):
    await people(admin, 1, email="quokka@example.com", city="quokka")
    limited = admin.with_field_rights({"contact.email": "hidden", "contact.city": "masked"})
    made = await export(limited, CONTACT, form, View(columns=("name", "email", "city", "no such")))
    found = lines(limited, made) if form == "csv" else cells(limited, made)
    assert found == [["Name", "City"], ["Person 0000", MASKED]]
    for view in (
        View(filter=Clause("email", "contains", "q")),
        View(sort="city"),
        View(filter=Clause("city", "eq", "q")),
    ):
        with pytest.raises(Invalid):
            await export(limited, CONTACT, form, view)


async def test_ids_of_others_bring_nothing(manager, alice, mallory, admin):
    hers, mine = await people(mallory, 1), await people(alice, 1)
    made = await export(admin, CONTACT, "csv", View(columns=("name",)), ids=[*hers, *mine])
    assert made.rows == 1
    with pytest.raises(Invalid, match="no contacts"):
        await export(admin, CONTACT, "csv", ids=hers)
    own = replace(manager, scope="own", team_ids=frozenset())
    with pytest.raises(Invalid, match="no contacts"):
        await export(own, CONTACT, "csv", ids=mine)


async def test_a_file_is_for_whoever_asked(admin, manager, mallory):
    await people(admin, 1)
    made = await export(admin, CONTACT, "csv")
    for other in (manager, mallory):
        for act in (exporting.read, exporting.discard, exporting.cancel):
            async with unit_of_work(other) as uow:
                with pytest.raises(NotFound):
                    await act(uow, made.id)
        with pytest.raises(NotFound):
            await export_keeping.keep(other, made.id)
        async with unit_of_work(other) as uow:
            with pytest.raises(exporting.Cancelled):
                await exporting.settle(uow, made.id, rows=0, size=0)
        async with unit_of_work(other) as uow:
            assert await exporting.listed(uow) == []
    here = replace(admin, session_id=new_id())
    key = export_keeping.address_of(here, made.id).rpartition("/")[2]
    assert export_keeping.is_address(here, made.id, key)
    for someone in (replace(here, session_id=new_id()), replace(here, user_id=manager.user_id), mallory):
        assert not export_keeping.is_address(someone, made.id, key)
    assert await rows(admin, CONTACT, "version") == [1]
