"""Every service asks for a permission: somebody without any gets nothing out of it."""

from dataclasses import replace

import pytest

from crm_app.core.errors import Forbidden
from crm_app.core.registry import Entity, get
from crm_app.models.base import new_id
from crm_app.store.uow import unit_of_work
from tests.isolation.test_services import INNER, Probe, call, hints, service_functions
from tests.isolation.world import World

# What needs no permission, and why.
OWN = "one's own"
CALLED = "called by services that have asked"
CLOCK = "a job of the clock"
RECORD = "what one may do with the record that it hangs on"
FREE = {
    "activities.comments.purge": CLOCK,
    "activities.comments.put_back": OWN,
    "activities.comments.read": RECORD,
    "activities.comments.remove": OWN,
    "activities.activities.renew_choices": CALLED,
    "activities.comments.tell_mentioned": CALLED,
    "people.roles.own_role": CALLED,
    "platform.attachments.find": RECORD,
    "platform.attachments.purge": CLOCK,
    "platform.attachments.put_back": RECORD,
    "platform.attachments.remove": RECORD,
    "platform.lists.titles_in": CALLED,
    "platform.paging.rows_from": CALLED,
    "platform.notifications.choices": OWN,
    "platform.notifications.choose": OWN,
    "platform.notifications.listed": OWN,
    "platform.notifications.mark": OWN,
    "platform.notifications.mark_all_read": OWN,
    "platform.notifications.unread": OWN,
    "platform.notifications.assigned": CALLED,
    "platform.notifications.letter": CALLED,
    "platform.notifications.notify": CALLED,
    "platform.notifications.read_about": CALLED,
    "platform.notifications.reword": CALLED,
    "platform.notifications.sent": CALLED,
    "platform.notifications.withdraw": CALLED,
    "platform.notifications.written": CALLED,
    "platform.notifications.purge": CLOCK,
    "platform.custom_fields.sweep": CLOCK,
    "platform.tags.suggested": "of what one may read",
    "platform.saved_views.change": OWN,
    "platform.saved_views.delete": OWN,
    "platform.saved_views.move": OWN,
    "platform.saved_views.named": OWN,
    "platform.saved_views.pin": OWN,
    "platform.saved_views.rename": OWN,
    "platform.saved_views.restore": OWN,
    "platform.saved_views.share": OWN,
    "people.profile.change": OWN,
    "people.profile.read": OWN,
    "people.profile.set_preference": OWN,
    "people.sessions.list_sessions": OWN,
    "people.sessions.revoke": OWN,
    "people.sessions.revoke_others": OWN,
    "people.sign_ins.mine": OWN,
    "people.sign_ins.record": "after somebody came in",
    "people.sign_ins.sweep": CLOCK,
    "people.workspaces.read": "the name and the currency of the workspace one is in",
    "platform.imports.batches.listed": OWN,
    "platform.imports.jobs.sweep": "a job of the clock",
    "platform.imports.matching.match": CALLED,
    "platform.imports.matching.matched": CALLED,
    "platform.imports.matching.options": CALLED,
    "platform.imports.matching.texts_of": CALLED,
    "platform.lists.set_width": OWN,
    "platform.lists.where": CALLED,
    "platform.lists.widths": OWN,
    "platform.idempotency.begin": OWN,
    "platform.idempotency.keep": OWN,
    "platform.operations.begin": OWN,
    "platform.operations.keep": OWN,
    "platform.operations.outcome_of": OWN,
    "platform.bulk_operations.blocked": OWN,
    "platform.bulk_operations.cancel": OWN,
    "platform.bulk_operations.latest": OWN,
    "platform.bulk_operations.read": OWN,
    "platform.bulk_operations.resume": OWN,
    "platform.bulk_operations.sweep": CLOCK,
    "platform.bulk_operations.undo": OWN,
    "platform.exporting.asked_for": OWN,
    "platform.exporting.cancel": OWN,
    "platform.exporting.discard": OWN,
    "platform.exporting.fail": "a job that failed",
    "platform.exporting.find": OWN,
    "platform.exporting.listed": OWN,
    "platform.exporting.make": "asks for the right to what was asked for, which nobody else knows",
    "platform.exporting.read": OWN,
    "platform.exporting.require_wanted": OWN,
    "platform.exporting.settle": OWN,
    "platform.exporting.sweep": CLOCK,
    "platform.figures.figures_of": CALLED,
    "platform.finding.choices": "finds what one may read, so nothing",
    "platform.finding.matching": "finds what one may read, so nothing",
    "platform.finding.named": "finds what one may read, so nothing",
    "platform.finding.search": "finds what one may read, so nothing",
    "platform.finding.search_forgiving": "finds what one may read, so nothing",
    "platform.recents.note": "one's own, of what one may read",
    "platform.recents.recent": "one's own, of what one may read",
    "platform.records.needed": CALLED,
    "platform.records.ruled": CALLED,
    "platform.schema.entities_of": "declarations, no records: what a role may not see is not in them",
    "platform.schema.entity_of": "declarations, no records: what a role may not see is not in them",
    "platform.sharing.may_share": "answers no to those who may not",
    "platform.spelling.readings": CALLED,
    "platform.trash.listed": "finds what one may delete, so nothing",
    "platform.trash.sweep": CLOCK,
    "platform.trash.who": "names whom one may see in the trash, so nobody",
    "platform.trash_rules.bring_back": CALLED,
    "platform.trash_rules.follow": CALLED,
    "people.actors.load": "makes the actor who may or may not",
    "people.links.close_all": CALLED,
    "people.links.made_since": CALLED,
    "people.links.make": CALLED,
    "people.links.use": "the link is the right",
    "people.roles.install": "of a workspace that is being founded",
    "people.workspaces.sign_up": "of a workspace that is being founded",
    "sales.defaults.install": "of a workspace that is being founded",
    "sales.defaults.add_pipeline": "of a workspace that is being founded",
    "sales.defaults.add_stages": CALLED,
    "people.sessions.end_tokens": CALLED,
    "people.sessions.open_session": "after the password was right",
    "people.sessions.revoke_all_of": CALLED,
    "people.sessions.sweep": CLOCK,
    "people.users.owned_by": CALLED,
    "people.users.with_email": CALLED,
    "platform.audit.entries": CALLED,
    "platform.audit.note": CALLED,
    "platform.failures.record": "a job that failed",
    "platform.failures.settle": "a job that succeeded",
    "platform.audit.seal": CLOCK,
    "platform.numbers.take": CALLED,
    "platform.numbers.document_number": CALLED,
    "sales.activity_facts.refresh": "a handler",
    "sales.activity_facts.refresh_due": CLOCK,
}
ASKING = [n for n, _ in service_functions() if n not in FREE and n not in INNER and n.rpartition(".")[0] not in INNER]


@pytest.mark.parametrize("name", ASKING)
async def test_without_a_permission_it_is_refused_by_name(hers: World, name: str) -> None:
    fn = dict(service_functions())[name]
    entity = get("account") if Entity in hints(fn).values() else None
    fresh = replace(hers, ids={**hers.ids, "operation_id": new_id()})
    with pytest.raises(Forbidden) as refusal:
        async with unit_of_work(replace(hers.actor, permissions=frozenset())) as uow:
            await call(uow, Probe(name, fn, "", entity), fresh, fresh)
    assert refusal.value.permission


def test_exceptions_are_still_there() -> None:
    assert set(FREE) - {n for n, _ in service_functions()} == set()
