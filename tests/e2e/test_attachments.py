"""Files on a deal in the browser: sent three ways, looked at, refused, stopped, deleted and brought back."""

import base64

from playwright.async_api import Page, expect

from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import attachments
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PAPER = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/MediaBox[0 0 200 200]/Parent 2 0 R>>endobj
trailer<</Root 1 0 R>>"""
_HAND_OVER = """([kind, name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  const card = document.querySelector(".card.files");
  const paste = () => new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
  if (kind === "paste") document.body.dispatchEvent(paste());
  else for (const name of ["dragenter", "dragover", "drop"])
    card.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def a_file(name: str, body: bytes, media_type: str = "") -> dict[str, object]:
    return {"name": name, "mimeType": media_type or "application/octet-stream", "buffer": body}


async def hand_over(page: Page, kind: str, name: str, body: bytes, media_type: str) -> None:
    await page.evaluate(_HAND_OVER, [kind, name, media_type, base64.b64encode(body).decode()])


async def names(actor, deal) -> list[str]:
    async with unit_of_work(actor) as uow:
        return sorted(f.name for f in await attachments.listed(uow, OPPORTUNITY, deal.id))


async def test_by_button_drop_and_paste_then_looked_at_and_undone(visit, alice, bob):
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice, f"/opportunities/{deal.id}")
    colleague = await visit(bob, f"/opportunities/{deal.id}")
    card = page.get_by_role("group", name="Files")
    await expect(card.get_by_text("No files yet")).to_be_visible()
    await page.locator(".card.files input[type=file]").set_input_files(
        [a_file("Quote v3.pdf", PAPER), a_file("Rack counts.csv", b"a;b\n1;2\n")]
    )
    await expect(card.get_by_role("button", name="Quote v3.pdf", exact=True)).to_be_visible()
    await expect(card.get_by_role("link", name="Rack counts.csv")).to_be_visible()
    await hand_over(page, "drop", "Floor plan.png", PIXEL, "image/png")
    await expect(card.get_by_role("button", name="Floor plan.png", exact=True)).to_be_visible()
    await hand_over(page, "paste", "image.png", PIXEL, "image/png")
    await expect(card.locator(".item")).to_have_count(4)
    await expect(colleague.locator(".card.files .item")).to_have_count(4)  # who has it open, without a reload
    assert any(n.startswith("Pasted 2") and n.endswith(".png") for n in await names(alice, deal))

    await card.get_by_role("button", name="Floor plan.png", exact=True).click()
    dialog = page.get_by_role("dialog", name="Floor plan.png")
    picture = dialog.get_by_role("img", name="Floor plan.png")
    await expect(picture).to_have_js_property("naturalWidth", 1)
    await dialog.get_by_role("button", name="Close").click()

    await card.get_by_role("button", name="More about Rack counts.csv").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(card.get_by_role("link", name="Rack counts.csv")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(card.get_by_role("link", name="Rack counts.csv")).to_be_visible()
    async with page.expect_download() as download:
        await card.get_by_role("link", name="Rack counts.csv").click()
    assert (await download.value).suggested_filename == "Rack counts.csv"


async def test_a_lie_is_refused_and_a_lost_line_can_be_tried_again(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice, f"/opportunities/{deal.id}")
    card = page.get_by_role("group", name="Files")
    await expect(card.get_by_text("No files yet")).to_be_visible()
    visit.expect_noise("status of 422")
    box = page.locator(".card.files input[type=file]")
    await box.set_input_files(a_file("cat.png", b"<html><script>alert(1)</script></html>"))
    await expect(card.get_by_role("alert")).to_contain_text("is called PNG image, but its content is HTML")
    await card.get_by_role("button", name="Put cat.png aside").click()
    await expect(card.get_by_role("alert")).to_have_count(0)

    visit.expect_noise()
    await page.route("**/api/files/opportunities/**", lambda route: route.abort())
    await box.set_input_files(a_file("Quote.pdf", PAPER))
    await expect(card.get_by_role("alert")).to_contain_text("the connection was lost")
    await page.unroute("**/api/files/opportunities/**")
    await card.get_by_role("button", name="Try again").click()
    await expect(card.get_by_role("button", name="Quote.pdf", exact=True)).to_be_visible()
    assert await names(alice, deal) == ["Quote.pdf"]


async def test_a_pdf_is_shown_in_the_page(visit, alice):
    deal = await a_deal(alice, "Roll-out")
    page = await visit(alice, f"/opportunities/{deal.id}")
    await page.locator(".card.files input[type=file]").set_input_files(a_file("Quote.pdf", PAPER))
    async with page.expect_response(lambda r: r.url.endswith("/look")) as shown:
        await page.get_by_role("button", name="Quote.pdf", exact=True).click()
    answer = await shown.value
    assert answer.status == 200 and answer.headers["content-type"] == "application/pdf"
    await expect(page.get_by_role("dialog", name="Quote.pdf").locator("iframe")).to_be_visible()
