"""What the rest of the program knows of mail."""

from dataclasses import dataclass
from typing import Protocol

from crm_app.core.errors import CrmError
from crm_app.settings import settings
from crm_app.store.uow import is_open


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter in plain text to one person."""

    to: str
    subject: str
    text: str


class MailRefused(CrmError):
    """It did not leave: the server cannot be reached, or does not take it. The message says which."""

    status, code = 502, "mail_refused"


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hand it to the mail server. MailRefused when that fails; never inside a unit of work."""
        ...


_chosen: Mailer | None = None


def use(other: Mailer | None) -> None:
    """Put another mailer in place of the one from the settings; None puts it back."""
    global _chosen  # noqa: PLW0603
    _chosen = other


def is_configured() -> bool:
    """Whether mail can leave at all; when not, links are shown to an admin instead."""
    return _chosen is not None or bool(settings().smtp_host)


def mailer() -> Mailer:
    """The mailer in use. MailRefused when the installation has none."""
    from crm_app.integrations.smtp.client import SmtpMailer

    if _chosen is not None:
        return _chosen
    if not settings().smtp_host:
        raise MailRefused("This installation sends no mail: CRM_SMTP_HOST is not set.")
    return SmtpMailer()


def refuse_inside_a_unit_of_work() -> None:
    """A slow mail server must not hold a transaction open, and a rollback cannot call a letter back."""
    if is_open():
        raise RuntimeError("mail is sent after the unit of work, not inside it")
