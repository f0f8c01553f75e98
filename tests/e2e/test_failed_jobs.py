"""Work that failed in the background: seen live, run again, put aside."""

from typing import Any

from playwright.async_api import expect

from crm_app.services.platform import failures
from crm_app.store.uow import unit_of_work


async def fail(admin: Any, name: str, error: str) -> None:
    async with unit_of_work(admin) as uow:
        args = {"tenant_id": str(admin.tenant_id), "name": name}
        await failures.record(uow, f"tick:{name}", task="run_tick_here", args=args, error=error)


async def test_failed_jobs_come_and_go_while_the_page_is_open(visit, admin, alice):
    page = await visit(admin, "/settings/jobs")
    await expect(page.get_by_role("heading", name="Nothing failed")).to_be_visible()
    await fail(admin, "refresh_health", "OSError: no space left on device")
    await fail(admin, "sweep", "ValueError: a very old row")
    row = page.get_by_role("row").filter(has_text="Refresh health")
    await expect(row).to_contain_text("no space left on device")
    await page.get_by_role("button", name="Dismiss: Sweep").click()
    await expect(page.get_by_text("1 job put aside; the audit log keeps who did it").first).to_be_visible()
    await expect(page.get_by_text("a very old row")).to_have_count(0)
    await page.get_by_role("button", name="Retry: Refresh health").click()
    await expect(page.get_by_role("heading", name="Nothing failed")).to_be_visible()
    await fail(admin, "sweep", "ValueError: again")
    await page.get_by_role("button", name="Retry all").click()
    await expect(page.get_by_role("heading", name="Nothing failed")).to_be_visible()
    other = await visit(alice, "/settings/jobs")
    await expect(other.get_by_text("Your role does not let you").first).to_be_visible()
    await expect(other.get_by_role("button", name="Retry all")).to_have_count(0)
