"""A mailer that keeps what it is given: for tests and for trying things out."""

from crm_app.integrations.smtp.port import Mail, MailRefused, refuse_inside_a_unit_of_work


class KeptMail:
    """`refuses` makes it behave like a server that is down."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.sent: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        refuse_inside_a_unit_of_work()
        if self.refuses:
            raise MailRefused("The mail server did not take the letter: it is a double told to refuse.")
        self.sent.append(mail)
