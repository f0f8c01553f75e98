"""Files of the import page: for whoever may import, from our own pages, and nobody else's to read."""

from uuid import UUID

from crm_app.models.base import new_id
from crm_app.store import uploads
from tests.services.imports.wizard import wizard_of

FILES = "/api/imports/files"


async def send(browser, name="deals.csv", body=b"Name\nKessler\n", **headers):
    return await browser.http.post(
        FILES, params={"name": name}, content=body, headers={"origin": browser.base_url, **headers}
    )


async def test_a_file_arrives_whole(browser, manager):
    body = b"Name\n" + b"Kessler\n" * 300_000
    answer = await send(await browser(manager), body=body)
    assert answer.status_code == 201
    told = answer.json()
    assert told["name"] == "deals.csv" and told["size"] == len(body)
    kept = uploads.find(manager, UUID(told["id"]))
    assert kept.path.read_bytes() == body
    uploads.discard(manager, kept.id)


async def test_what_is_wrong_with_a_file_is_said(browser, manager, monkeypatch):
    managers = await browser(manager)
    answer = await send(managers, "deals.exe")
    assert answer.status_code == 422 and "CSV" in answer.json()["message"]
    monkeypatch.setattr(uploads, "LARGEST", 100)
    answer = await send(managers, body=b"x" * 101)
    assert answer.status_code == 422 and "larger" in answer.json()["message"]


async def test_only_who_may_import_sends_files(browser, alice, reader):
    assert (await send(await browser())).status_code == 401
    for actor in (alice, reader):
        answer = await send(await browser(actor))
        assert answer.status_code == 403 and "import" in answer.json()["message"]


async def test_a_foreign_page_sends_no_file(browser, manager):
    managers = await browser(manager)
    assert (await send(managers, origin="https://evil.example")).status_code == 403
    assert (await managers.http.post(FILES, params={"name": "a.csv"}, content=b"x")).status_code == 403


async def test_rows_to_mend_are_for_the_sender_alone(browser, manager, admin, mallory):
    managers = await browser(manager)
    wizard = await wizard_of(manager)
    await wizard.add("a.csv", "Name,Employees\n=1+1,many\nBeta,3\n", entity="account")
    key = (await wizard.source())["key"]
    place = f"/api/imports/jobs/{wizard.job_id}/rows-to-mend?file={key}"
    assert (await managers.http.get(place)).status_code == 404
    await wizard.check()
    answer = await managers.http.get(place)
    assert answer.text.startswith("\ufeffName,Employees,What is wrong\r\n'=1+1,many,")
    assert answer.headers["content-disposition"].startswith("attachment")
    for other in (await browser(admin), await browser(mallory)):
        assert (await other.http.get(place)).status_code == 404
    assert (await (await browser()).http.get(place)).status_code == 401
    for nonsense in (new_id(), "..%2f..", "x"):
        assert (await managers.http.get(f"/api/imports/jobs/{nonsense}/rows-to-mend")).status_code == 404
