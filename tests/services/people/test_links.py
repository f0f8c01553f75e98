"""Invitations, forgotten passwords and the profile, with mail and without."""

import asyncio
import re
import socket

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from crm_app.core.errors import Conflict, Forbidden, Invalid, Throttled
from crm_app.integrations import smtp
from crm_app.models.base import new_id
from crm_app.models.people.sessions import OneTimeLink
from crm_app.models.people.users import User, UserStatus
from crm_app.services.people import invitations, profile, resets, sessions, users, workspaces
from crm_app.services.people.links import LinkExpired
from crm_app.settings import settings
from crm_app.store.uow import unit_of_work
from tests.conftest import forget_settings
from tests.people import PASSWORD, found
from tests.services.people.test_sessions import address_of, signed_in

NEW = "quite another sentence"


@pytest.fixture
def mail():
    kept = smtp.KeptMail()
    smtp.use(kept)
    yield kept
    smtp.use(None)


def token_in(text):
    return re.search(r"/(?:reset|invite)/([\w-]{43})", text).group(1)


def fresh():
    return f"nina.{new_id().hex[-12:]}@example.com"


async def test_an_invited_person_chooses_a_password_and_is_in(workspace, admin, mail):
    email = fresh()
    handed = await invitations.invite(admin, email=email, role_id=workspace.roles["rep"], team_id=workspace.team_id)
    assert handed.url == "" and mail.sent[0].to == email and "Ada Admin" in mail.sent[0].subject
    token = token_in(mail.sent[0].text)
    assert (await invitations.look_up(token)).email == email
    cookie = await invitations.accept(token, name="Nina Nagel", password=NEW, ip="192.0.2.1", user_agent="Safari")
    actor = await sessions.actor_of(f"{sessions.cookie_name()}={cookie}")
    assert actor.name == "Nina Nagel" and actor.can("opportunity.move")
    assert await sessions.sign_in(email, NEW)


async def test_an_invitation_works_once_and_the_newest_one_only(workspace, admin, mail):
    email = fresh()
    for role in ("rep", "manager"):
        await invitations.invite(admin, email=email, role_id=workspace.roles[role])
    old, new = (token_in(m.text) for m in mail.sent)
    with pytest.raises(LinkExpired):
        await invitations.accept(old, name="Nina", password=NEW)
    told = await asyncio.gather(
        *(invitations.accept(new, name="Nina", password=NEW) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(t, str) for t in told) == 1
    async with unit_of_work(admin) as uow:
        user = await users.with_email(uow, email)
    assert user.role_id == workspace.roles["manager"] and user.status is UserStatus.active


async def test_only_people_who_manage_users_invite(workspace, alice, manager, mail):
    for person in (alice, manager):
        with pytest.raises(Forbidden):
            await invitations.invite(person, email=fresh(), role_id=workspace.roles["rep"])
    assert mail.sent == []


async def test_somebody_already_here_is_not_invited(workspace, admin, alice, mail):
    with pytest.raises(Invalid, match="already"):
        await invitations.invite(admin, email=await address_of(alice), role_id=workspace.roles["rep"])


async def test_without_mail_the_link_is_handed_to_the_one_who_invites(workspace, admin):
    handed = await invitations.invite(admin, email=fresh(), role_id=workspace.roles["rep"])
    assert handed.url.startswith(f"{settings().base_url}/invite/") and "no mail" in handed.why
    assert await invitations.accept(token_in(handed.url), name="Nina", password=NEW)


async def test_a_mail_server_that_is_down_does_not_lose_the_invitation(workspace, admin):
    smtp.use(smtp.KeptMail(refuses=True))
    try:
        handed = await invitations.invite(admin, email=fresh(), role_id=workspace.roles["rep"])
    finally:
        smtp.use(None)
    assert handed.url and "did not take" in handed.why


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("short", "at least 10"),
        ("password123", "first that attackers try"),
        ("aaaaaaaaaaaa", "first that attackers try"),
        ("QWERTYUIOP", "first that attackers try"),
        ("x" * 300, "200"),
    ],
)
async def test_weak_passwords_are_refused_and_leave_the_link_usable(workspace, admin, mail, password, message):
    await invitations.invite(admin, email=fresh(), role_id=workspace.roles["rep"])
    token = token_in(mail.sent[0].text)
    with pytest.raises(Invalid, match=message):
        await invitations.accept(token, name="Nina", password=password)
    assert await invitations.accept(token, name="Nina", password=NEW)


async def test_ones_own_address_is_no_password(workspace, admin, mail):
    email = fresh()
    await invitations.invite(admin, email=email, role_id=workspace.roles["rep"])
    for word in (email, email.upper(), email.partition("@")[0]):
        with pytest.raises(Invalid, match="e-mail address"):
            await invitations.accept(token_in(mail.sent[0].text), name="Nina", password=word)


async def test_a_forgotten_password_is_replaced_once_and_ends_every_session(alice, mail):
    email, cookie = await address_of(alice), await signed_in(alice)
    await resets.ask(f" {email.upper()}", ip="192.0.2.1")
    assert [m.to for m in mail.sent] == [email]
    token = token_in(mail.sent[0].text)
    await resets.reset(token, NEW)
    assert await sessions.actor_of(cookie) is None
    assert await sessions.sign_in(email, NEW)
    with pytest.raises(LinkExpired):
        await resets.reset(token, "and one sentence more")
    with pytest.raises(Exception, match="not right"):
        await sessions.sign_in(email, PASSWORD)


async def test_a_link_dies_after_an_hour(alice, mail):
    await resets.ask(await address_of(alice))
    async with unit_of_work(alice) as uow:
        await uow.execute(sa.update(OneTimeLink).values(expires_at=uow.now))
    with pytest.raises(LinkExpired):
        await resets.reset(token_in(mail.sent[0].text), NEW)


async def test_a_link_is_good_for_its_own_purpose_only(workspace, admin, alice, mail):
    await resets.ask(await address_of(alice))
    with pytest.raises(LinkExpired):
        await invitations.accept(token_in(mail.sent[0].text), name="X", password=NEW)


@pytest.mark.parametrize(
    "email", ["nobody@example.com", "", "no address", "x\x00@example.com", "x" * 400 + "@example.com"]
)
async def test_asking_for_nobody_does_nothing(app_database, mail, email):
    await resets.ask(email)
    assert mail.sent == []


async def test_nobody_is_flooded_with_letters(alice, mail):
    for _ in range(6):
        await resets.ask(await address_of(alice))
    assert len(mail.sent) == 3


async def test_one_who_is_disabled_gets_no_letter(admin, alice, mail):
    email = await address_of(alice)
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    await resets.ask(email)
    assert mail.sent == []


async def test_a_link_no_longer_works_for_one_who_was_disabled_since(admin, alice, mail):
    await resets.ask(await address_of(alice))
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
        await users.enable(uow, alice.user_id)
    with pytest.raises(LinkExpired):
        await resets.reset(token_in(mail.sent[0].text), NEW)


async def asked(admin, user_id):
    async with unit_of_work(admin) as uow:
        return next(u.reset_asked_at for u in await users.listed(uow) if u.id == user_id)


async def test_without_mail_an_admin_sees_who_asked_and_hands_out_a_link(admin, alice, manager):
    await resets.ask(await address_of(alice))
    assert await asked(admin, alice.user_id) is not None
    with pytest.raises(Forbidden):
        await resets.help_in(manager, alice.user_id)
    handed = await resets.help_in(admin, alice.user_id)
    assert await asked(admin, alice.user_id) is None
    await resets.reset(token_in(handed.url), NEW)
    assert await sessions.sign_in(await address_of(alice), NEW)


async def test_no_link_can_be_read_from_the_database(admin, alice):
    await resets.ask(await address_of(alice))
    handed = await resets.help_in(admin, alice.user_id)
    async with unit_of_work(admin) as uow:
        rows = (await uow.execute(sa.text("SELECT to_jsonb(l)::text FROM one_time_link l"))).scalars().all()
        rows += (await uow.execute(sa.text("SELECT to_jsonb(e)::text FROM event e"))).scalars().all()
        rows += (await uow.execute(sa.text("SELECT to_jsonb(a)::text FROM audit_log a"))).scalars().all()
    assert rows and not any(token_in(handed.url) in row for row in rows)
    assert any("user.reset_link_made" in row for row in rows)


async def test_a_letter_that_could_not_leave_shows_the_wish_to_an_admin(admin, alice):
    smtp.use(smtp.KeptMail(refuses=True))
    try:
        await resets.ask(await address_of(alice))
    finally:
        smtp.use(None)
    assert await asked(admin, alice.user_id) is not None


async def test_no_letter_leaves_inside_a_unit_of_work(alice, mail):
    for mailer in (mail, smtp.SmtpMailer()):
        with pytest.raises(RuntimeError, match="unit of work"):
            async with unit_of_work(alice):
                await mailer.send(smtp.Mail("a@example.com", "Hello", "Text"))


class Letterbox:
    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):
        self.letters.append(envelope)
        return "250 taken"


async def test_over_a_real_mail_server(alice, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = Letterbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        for name, value in {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "TLS": "none",
            "FROM": "CRM <crm@example.com>",
        }.items():
            monkeypatch.setenv(f"CRM_SMTP_{name}", value)
        forget_settings()
        await resets.ask(await address_of(alice))
    finally:
        server.stop()
        monkeypatch.undo()
        forget_settings()
    [letter] = box.letters
    text = letter.content.decode()
    assert letter.mail_from == "crm@example.com" and letter.rcpt_tos == [await address_of(alice)]
    assert "Subject: A new password for SalesCompass" in text and "Auto-Submitted: auto-generated" in text
    await resets.reset(token_in(text.replace("=\r\n", "")), NEW)


async def test_the_profile_is_kept_and_its_time_zone_counts(alice):
    async with unit_of_work(alice) as uow:
        await profile.change(uow, name=" Alice  Abel ", title="Account executive", time_zone="Asia/Tokyo")
        await profile.set_preference(uow, "theme", "dark")
    async with unit_of_work(alice) as uow:
        kept = await profile.read(uow)
    assert (kept.name, kept.title, kept.time_zone, kept.workspace_time_zone, kept.role) == (
        "Alice Abel", "Account executive", "Asia/Tokyo", "Europe/Berlin", "Sales rep",
    )  # fmt: skip
    visitor = await sessions.visitor_of(await signed_in(alice))
    assert visitor.actor.time_zone == "Asia/Tokyo" and visitor.preferences == {"theme": "dark"}


@pytest.mark.parametrize("wrong", [{"name": " "}, {"name": "x" * 121}, {"name": "A", "time_zone": "Mars/Olympus"}])
async def test_a_profile_that_cannot_be(alice, wrong):
    with pytest.raises(Invalid):
        async with unit_of_work(alice) as uow:
            await profile.change(uow, **wrong)


async def test_a_changed_password_signs_out_everywhere_else(alice, mail):
    here, there = await signed_in(alice), await signed_in(alice)
    actor = await sessions.actor_of(here)
    assert await profile.change_password(actor, current=PASSWORD, new=NEW) == 1
    assert await sessions.actor_of(here) is not None and await sessions.actor_of(there) is None
    assert await sessions.sign_in(await address_of(alice), NEW)
    assert "was changed" in mail.sent[0].subject


async def test_changing_a_password_takes_the_old_one_and_no_guessing(alice):
    for _ in range(5):
        with pytest.raises(Invalid) as told:
            await profile.change_password(alice, current="a guess", new=NEW)
        assert "current" in told.value.fields
    with pytest.raises(Throttled):
        await profile.change_password(alice, current=PASSWORD, new=NEW)


async def test_a_new_password_must_be_new_and_good(alice):
    for new in ("short", PASSWORD):
        with pytest.raises(Invalid) as told:
            await profile.change_password(alice, current=PASSWORD, new=new)
        assert "new" in told.value.fields


async def test_a_workspace_is_founded_with_what_makes_sense_only(app_database):
    good = {"workspace": "Acme", "name": "Ann", "email": fresh(), "password": NEW}
    wrongs = {"workspace": " ", "name": "", "email": "nope", "password": "short", "currency": "XYZ", "time_zone": "X"}
    for wrong in ({field: value} for field, value in wrongs.items()):
        with pytest.raises(Invalid) as told:
            await workspaces.check(**good | wrong)
        assert set(told.value.fields) == set(wrong)


async def test_an_address_founds_one_workspace(app_database):
    founded = await found()
    async with unit_of_work(await _admin(founded)) as uow:
        email = (await uow.get(User, founded.admin_id)).email
    with pytest.raises(Invalid) as told:
        await workspaces.check(workspace="Again", name="Ann", email=email.upper(), password=NEW)
    assert "email" in told.value.fields


async def _admin(founded):
    from crm_app.services.people import actors

    return await actors.actor_for(founded.tenant_id, founded.admin_id)


async def test_an_invitation_of_one_who_was_enabled_by_hand_is_taken(workspace, admin, mail):
    await invitations.invite(admin, email=fresh(), role_id=workspace.roles["rep"])
    token = token_in(mail.sent[0].text)
    await invitations.accept(token, name="Nina", password=NEW)
    with pytest.raises(Conflict):
        await invitations.accept(token, name="Nina", password=NEW)


async def test_mail_without_a_sender_is_refused_in_words(alice, monkeypatch):
    monkeypatch.setenv("CRM_SMTP_HOST", "mail.example.com")
    forget_settings()
    try:
        with pytest.raises(smtp.MailRefused, match="CRM_SMTP_FROM"):
            await smtp.mailer().send(smtp.Mail("a@example.com", "Hello", "Text"))
    finally:
        monkeypatch.undo()
        forget_settings()
