"""What a server does at its start, so that the first drop is as fast as the next."""

import sqlalchemy as sa

from crm_app.services.sales import opportunities  # noqa: F401  (its statements are to be made ready)
from crm_app.store import ready, warming
from crm_app.store.engine import close_engine, engine
from crm_app.store.uow import unit_of_work


async def test_it_makes_ready_and_changes_nothing(alice):
    async with unit_of_work(alice) as uow:
        before = await uow.scalar(sa.text("SELECT count(*) FROM audit_log"))
    await close_engine()
    await warming.warm()
    assert len([s for s in ready.made() if "sql" in vars(s)]) == len(ready.made()) > 5
    assert engine().pool.checkedin() >= 1  # type: ignore[attr-defined]
    async with unit_of_work(alice) as uow:
        assert await uow.scalar(sa.text("SELECT count(*) FROM audit_log")) == before


async def test_a_server_starts_without_a_database_that_answers(alice, monkeypatch, caplog):
    await close_engine()
    monkeypatch.setattr("crm_app.store.engine.sqlalchemy_url", lambda _: "postgresql+psycopg://x@127.0.0.1:9/x")
    await warming.warm()
    await close_engine()
    assert "could not be warmed up" in caplog.text
