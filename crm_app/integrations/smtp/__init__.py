"""Mail out: the port, the client that talks SMTP, the double that keeps what it is given."""

from crm_app.integrations.smtp.client import SmtpMailer
from crm_app.integrations.smtp.double import KeptMail
from crm_app.integrations.smtp.port import Mail, Mailer, MailRefused, is_configured, mailer, use

__all__ = ["KeptMail", "Mail", "MailRefused", "Mailer", "SmtpMailer", "is_configured", "mailer", "use"]
