"""Notices that go by mail, unless they were read before."""

import logging
from uuid import UUID

from crm_app.core.errors import NotFound
from crm_app.integrations import smtp
from crm_app.jobs.delivery import system_actor
from crm_app.services.people import actors, letters
from crm_app.services.platform import notifications
from crm_app.settings import settings
from crm_app.store.queue import Backoff, queue
from crm_app.store.uow import unit_of_work

log = logging.getLogger(__name__)


@queue.task(name=notifications.MAIL, retry=Backoff(attempts=5))
async def mail_notification(tenant_id: str, notification_id: str) -> None:
    """One letter. It is written under the rights of whoever gets it, and never sent again once it has left."""
    tenant, wanted = UUID(tenant_id), UUID(notification_id)
    async with unit_of_work(system_actor(tenant)) as uow:
        user_id = await notifications.letter(uow, wanted)
    if user_id is None or not smtp.is_configured():
        return
    try:
        actor = await actors.actor_for(tenant, user_id)
    except NotFound:
        log.info("nobody is there any more for the letter of %s", notification_id)
        return
    async with unit_of_work(actor) as uow:
        letter = await notifications.written(uow, wanted)
    if letter is None:
        return
    await smtp.mailer().send(letters.notice(letter, settings().base_url))
    async with unit_of_work(actor) as uow:
        await notifications.sent(uow, wanted)
