"""The real mail server, as the settings name it."""

from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

import aiosmtplib

from crm_app.core.clock import utcnow
from crm_app.integrations.smtp.port import Mail, MailRefused, refuse_inside_a_unit_of_work
from crm_app.settings import Settings, settings

_TIMEOUT = 15  # seconds, for each step of the conversation


class SmtpMailer:
    """One connection a letter: what is sent here is rare."""

    async def send(self, mail: Mail) -> None:
        refuse_inside_a_unit_of_work()
        chosen = settings()
        try:
            await aiosmtplib.send(
                compose(mail, chosen),
                hostname=chosen.smtp_host,
                port=chosen.smtp_port,
                username=chosen.smtp_user or None,
                password=chosen.smtp_password.get_secret_value() or None,
                use_tls=chosen.smtp_tls == "tls",
                start_tls=chosen.smtp_tls == "starttls",
                timeout=_TIMEOUT,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailRefused(f"The mail server {chosen.smtp_host} did not take the letter: {error}") from error


def compose(mail: Mail, chosen: Settings) -> EmailMessage:
    """The letter with its heads. EmailMessage refuses line breaks in them, so nothing can be smuggled in."""
    sender = chosen.smtp_from or chosen.smtp_user
    if "@" not in sender:
        raise MailRefused("There is no sender for mail: set CRM_SMTP_FROM, like SalesCompass <crm@example.com>.")
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(utcnow())
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].partition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
