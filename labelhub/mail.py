"""Mail where no mail server is set: shown on the console and kept as files in the data folder."""

from django.core.mail.backends import console, filebased
from django.core.mail.backends.base import BaseEmailBackend


class ConsoleAndFolder(BaseEmailBackend):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.console = console.EmailBackend(*args, **kwargs)
        self.folder = filebased.EmailBackend(*args, **kwargs)

    def send_messages(self, email_messages) -> int:
        self.console.send_messages(email_messages)
        return self.folder.send_messages(email_messages) or 0
