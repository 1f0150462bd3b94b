"""A real mail server on loopback that keeps what it accepts.

Addresses at `reject.test` are refused, those at `tempfail.test` put off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller

from tests.services.processes import free_port

REFUSALS = {
    "reject.test": "550 5.1.1 No such user",
    "tempfail.test": "451 4.3.0 Try again later",
}


class Mailbox:
    """What the server calls; `mails` are the accepted messages, oldest first."""

    def __init__(self, port: int) -> None:
        self.url = f"smtp://127.0.0.1:{port}"
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: ARG002
        if refusal := REFUSALS.get(address.rpartition("@")[2]):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: ARG002
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@contextmanager
def server() -> Iterator[Mailbox]:
    port = free_port()
    mailbox = Mailbox(port)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
