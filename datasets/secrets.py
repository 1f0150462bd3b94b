"""Keeps the keys of storages so that a copy of the database does not give them away.

They are encrypted with keys made from LABELHUB_ENCRYPTION_KEYS, of which the first one writes and
all of them read. The server's secret key closes that list: it alone is used where none is given,
and what it wrote stays readable after the first one is set.
"""

import base64
import hmac
from functools import lru_cache
from typing import NoReturn

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from datasets.problems import describe

_PURPOSE = b"labelhub: keys of storages"
_HIDDEN = "••••••"


class Secret:
    """Text that shows itself only when asked by name: not in logs, tracebacks, pages or pickles."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    # A template that says `{{ secret.reveal }}` gets nothing.
    reveal.alters_data = True  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN})"

    def __str__(self) -> str:
        return _HIDDEN

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere as it is: use datasets.secrets.encrypt")


class SecretLost(Exception):
    """None of the server's keys opens it: it was written with one that is no longer given."""

    code = "secret-lost"

    def __str__(self) -> str:
        return describe(self.code)


def encrypt(secret: Secret) -> str:
    """A token that only the server's keys open; another one each time."""
    return _newest().encrypt(secret.reveal().encode()).decode()


def decrypt(token: str) -> Secret:
    """What `encrypt` took. Raises SecretLost."""
    try:
        return Secret(_all().decrypt(token.encode()).decode())
    except InvalidToken as error:
        raise SecretLost from error


def is_current(token: str) -> bool:
    """Whether the newest key wrote it; if not, `rotated` makes a token that it did."""
    try:
        _newest().decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def rotated(token: str) -> str:
    """The same secret under the newest key, so that older keys can go. Raises SecretLost."""
    try:
        return _all().rotate(token.encode()).decode()
    except InvalidToken as error:
        raise SecretLost from error


def _newest() -> Fernet:
    return _fernets(_phrases())[0]


def _all() -> MultiFernet:
    return MultiFernet(_fernets(_phrases()))


def _phrases() -> tuple[str, ...]:
    return (*settings.ENCRYPTION_KEYS, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def _fernets(phrases: tuple[str, ...]) -> list[Fernet]:
    return [Fernet(base64.urlsafe_b64encode(_derived(phrase))) for phrase in phrases]


def _derived(phrase: str) -> bytes:
    """A key for this purpose alone: the server's secret key signs sessions too."""
    return HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(phrase.encode())
