"""The letters that bring one-time links."""

from crm_app.core.context import Actor
from crm_app.integrations.smtp import Mail
from crm_app.services.platform.notifications import Letter
from crm_app.store.identity import LinkRow


def invitation(*, to: str, workspace: str, by: str, url: str) -> Mail:
    return Mail(
        to=to,
        subject=f"{by} invites you to {workspace} on SalesCompass",
        text=(
            f"Hello,\n\n{by} has made a place for you in {workspace}, which sells with SalesCompass.\n"
            f"Choose a password here; the link works once, within 7 days:\n\n{url}\n\n"
            "If you did not expect this, you can ignore it.\n"
        ),
    )


def reset(link: LinkRow, url: str) -> Mail:
    return Mail(
        to=link.email,
        subject="A new password for SalesCompass",
        text=(
            f"Hello {link.name},\n\nsomebody asked for a new password for {link.email} in {link.workspace}.\n"
            f"Choose it here; the link works once, within an hour:\n\n{url}\n\n"
            "If that was not you, ignore this letter: your password stays as it is.\n"
        ),
    )


def password_changed(actor: Actor, email: str) -> Mail:
    return Mail(
        to=email,
        subject="Your password for SalesCompass was changed",
        text=(
            f"Hello {actor.name},\n\nyour password was just changed, and you were signed out everywhere else.\n"
            "If that was not you, ask your admin for help at once.\n"
        ),
    )


def notice(letter: Letter, base_url: str) -> Mail:
    """A line of the notification centre. Its words come from people: none of them may break a line of the head."""
    told = letter.told
    headline = " ".join(f"{told.sentence} {told.record}".split())
    said = f"\n{told.text}\n" if told.text else ""
    link = f"\n{base_url}{told.href}\n" if told.href else ""
    return Mail(
        to=letter.to,
        subject=headline,
        text=(
            f"Hello {letter.name},\n\n{headline}.\n{said}{link}\n"
            f"What you are told of by mail is up to you: {base_url}/settings/profile\n"
        ),
    )
