"""A workspace with one of everything, known by the names under which services ask for ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.views import View
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.duplicates import DuplicatePair
from crm_app.models.people.sessions import LinkPurpose, OneTimeLink, UserSession
from crm_app.models.people.users import Role, Team, User
from crm_app.models.platform.failures import FailedJob
from crm_app.models.platform.imports import ImportBatch, ImportStatus
from crm_app.models.platform.notifications import Notification
from crm_app.models.sales.competitors import ReasonKind, WinLossReason
from crm_app.models.sales.pipelines import Pipeline, Stage
from crm_app.services.activities import activities, comments
from crm_app.services.customers import duplicates_pairs, duplicates_scan
from crm_app.services.people import api_keys, links, sessions
from crm_app.services.platform import (
    attachments,
    bulk_operations,
    custom_fields,
    exporting,
    failures,
    merges,
    notifications,
    records,
    saved_views,
)
from crm_app.services.platform.imports import jobs as import_jobs
from crm_app.services.platform.imports import outline, presets
from crm_app.services.sales import drops, lines, opportunities, stakeholders, territories
from crm_app.store.uow import UnitOfWork, unit_of_work


@dataclass(frozen=True)
class World:
    """`ids` by the name of a parameter, `of` by the name of an entity, `everything` is every id there is; `secret` is a
    word that stands in its texts."""

    actor: Actor
    secret: str
    ids: Mapping[str, UUID]
    of: Mapping[str, UUID]
    everything: frozenset[UUID]
    moved: Any

    def id_for(self, parameter: str, entity: str = "") -> UUID:
        """The id a parameter of that name means."""
        if parameter in ("record_id", "record_ids", "survivor_id", "other_ids") and entity:
            return self.of[entity]
        singular = parameter.removesuffix("s") if parameter.endswith("_ids") else parameter
        if singular not in self.ids:
            raise LookupError(f"no id is known for a parameter called {parameter}: add it to tests/isolation/world.py")
        return self.ids[singular]


async def build(actor: Actor, secret: str) -> World:
    """One of everything, through the services, by an admin."""
    of, ids = {}, {}
    async with unit_of_work(actor) as uow:
        of = await _setup(uow, secret)
        make = records.create
        company = await make(uow, registry.get("account"), {"name": f"{secret} Ltd"})
        person = {"last_name": f"Von {secret}", "account_id": company.id, "email": "g@example.com"}
        contact = await make(uow, registry.get("contact"), person)
        zone = await territories.create(uow, name=f"Zone {secret}", countries=["Utopia"], member_ids=[of["user"]])
        product = await make(uow, registry.get("product"), {"name": f"{secret} 3000", "currency": "EUR"})
        rival = await make(uow, registry.get("competitor"), {"name": f"{secret} & Co"})
        deals = [await _deal(uow, company.id, secret) for _ in range(2)]
        due = {"due_at": uow.now + timedelta(days=2), "opportunity_id": deals[0].id}
        planned = await activities.plan(uow, kind="call", subject=secret, **due)
        line = await lines.add(uow, deals[0].id, product_id=product.id, name=secret)
        part = await stakeholders.add(uow, deals[0].id, contact.id, note=secret)
        await sessions.open_session(uow, actor.user_id)  # type: ignore[arg-type]
        await links.make(uow, of["user"], LinkPurpose.reset)
        twins = [await make(uow, registry.get("contact"), {"last_name": f"Twin {secret}"}) for _ in range(2)]
        joined = await merges.merge(uow, registry.get("contact"), twins[0].id, [twins[1].id], {})
        scan = await duplicates_pairs.start(uow, registry.get("contact"))
        likes = [(*sorted((str(contact.id), str(twins[0].id))), "check", 45, [secret])]
        await duplicates_scan.keep(uow, scan.id, registry.get("contact"), likes)
        ids["pair_id"] = await uow.scalar(sa.select(table_of(DuplicatePair).c.id))
        await failures.record(uow, f"tick:{secret}", task="run_tick_here", args={}, error=f"ValueError: {secret}")
        paper = {"name": f"{secret}.pdf", "kind": "pdf", "size": 4711, "sha256": "0" * 64}
        attached = await attachments.add(uow, registry.get("opportunity"), deals[0].id, new_id(), **paper)
        named = [bulk_operations.Change("lead_source", secret)]
        bulk = await bulk_operations.edit(
            uow, registry.get("contact"), named, operation_id=new_id(), record_ids=[contact.id]
        )
        ids["bulk_id"] = bulk.id
        file = await exporting.start(uow, registry.get("contact"), View(), "csv", operation_id=new_id())
        ids["export_id"] = file.id
        await notifications.notify(uow, of["user"], notifications.JOB_DONE, source_id=company.id, title=secret)
        told = await uow.scalar(sa.select(table_of(Notification).c.id))
        view = await saved_views.create(
            uow, registry.get("opportunity"), View(query=secret), name=secret, is_shared=True
        )
        said = await comments.add(uow, registry.get("opportunity"), deals[0].id, secret)
        batch = ImportBatch(name=secret, status=ImportStatus.done, user_id=actor.user_id)
        uow.add(batch)
        await uow.flush()
        job = await import_jobs.start(uow)
        one = outline.source(
            secret, secret, f"{secret}.csv", "", 1, "", [{"heading": "Name", "samples": [], "filled": 1}]
        )
        one = outline.set_field({**one, "entity": "account"}, "Name", "name")
        await import_jobs.change(uow, job.id, lambda document: outline.put(document, one))
        preset = await presets.save(uow, one, secret)
        own = await custom_fields.create(uow, "account", label=f"Ours {secret}", kind="text")
        ids["field_id"] = own.id
        _, key = await api_keys.create(uow, name=secret, scopes=["*"])
        ids["session_id"] = await uow.scalar(sa.select(table_of(UserSession).c.id).limit(1))
        ids["failure_id"] = await uow.scalar(sa.select(table_of(FailedJob).c.id).limit(1))
        ids["link_id"] = await uow.scalar(sa.select(table_of(OneTimeLink).c.id).limit(1))
    operation = new_id()
    async with unit_of_work(actor) as uow:
        await drops.move(uow, operation, [deals[0].id], to_stage_id=deals[0].stage_id)
        moved = (await opportunities.move(uow, [deals[1].id], to_stage_id=deals[1].stage_id)).moved
    of |= {
        "account": company.id, "contact": contact.id, "product": product.id, "competitor": rival.id,
        "opportunity": deals[0].id, "activity": planned.id, "territory": zone.id,
    }  # fmt: skip
    ids |= {
        "record_id": deals[0].id, "opportunity_id": deals[0].id, "after_id": deals[1].id, "account_id": company.id,
        "contact_id": contact.id, "product_id": product.id, "owner_id": of["user"], "user_id": of["user"],
        "manager_id": of["user"], "role_id": of["role"], "team_id": of["team"], "parent_id": of["team"],
        "like_id": of["role"],
        "stage_id": of["stage"], "to_stage_id": of["stage"], "pipeline_id": of["pipeline"], "activity_id": planned.id,
        "line_id": line.id, "stakeholder_id": part.id, "operation_id": operation, "batch_id": batch.id,
        "merge_id": joined.id, "scan_id": scan.id, "key_id": key.id, "attachment_id": attached.id,
        "about_id": company.id, "source_id": company.id, "by_id": of["user"], "notification_id": told,
        "comment_id": said.id,
        "file_id": new_id(),
        "territory_id": zone.id, "member_id": of["user"], "job_id": job.id, "preset_id": preset.id,
        "reason_id": of["win_loss_reason"], "competitor_id": rival.id,
        "view_id": view.id,
    }  # fmt: skip
    return World(actor, secret, ids, of, await _all_ids(actor), moved)


async def _setup(uow: UnitOfWork, secret: str) -> dict[str, UUID]:
    """What every workspace has from the start, with the secret in its names."""
    found = {}
    for name, model in (("pipeline", Pipeline), ("stage", Stage), ("team", Team), ("role", Role), ("user", User)):
        table = table_of(model)
        query = sa.select(table.c.id).order_by(table.c.id.desc() if name == "user" else table.c.id).limit(1)
        found[name] = await uow.scalar(query)
        await uow.execute(sa.update(table).values(name=sa.func.left(sa.literal(f"{secret} ") + table.c.name, 60)))
    reasons = table_of(WinLossReason)
    lost = sa.select(reasons.c.id).where(reasons.c.kind == ReasonKind.lost).limit(1)
    types = registry.get("activity_type").table
    return found | {
        "win_loss_reason": await uow.scalar(lost),
        "activity_type": await uow.scalar(sa.select(types.c.id).where(types.c.key == "task")),
    }


async def _deal(uow: UnitOfWork, account_id: UUID, secret: str) -> Any:
    values = {
        "name": f"Deal {secret}", "account_id": account_id, "amount_minor": 4_711_00,
        "expected_close_on": uow.today + timedelta(days=30), "tags": [secret],
    }  # fmt: skip
    return await records.create(uow, registry.get("opportunity"), values)


async def _all_ids(actor: Actor) -> frozenset[UUID]:
    found: set[UUID] = {actor.tenant_id}
    async with unit_of_work(actor) as uow:
        tables = await uow.rows(
            sa.text(
                "SELECT table_name FROM information_schema.columns WHERE column_name = 'id' AND table_schema = 'public'"
                " AND table_name IN (SELECT tablename FROM pg_policies)"
            )
        )
        for (name,) in tables:
            found |= {r.id for r in await uow.rows(sa.text(f"SELECT id FROM {name}"))}
    return frozenset(found)
