"""Reads the settings of LabelHub from `LABELHUB_*` environment variables, each one once.

A wrong value stops the start with the variable's name. Every variable that is read is noted in
`SETTINGS`, from which `manage.py settings_table` writes the table in the README.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    name: str
    default: str
    meaning: str


SETTINGS: dict[str, Setting] = {}


def read(
    name: str, default: str, meaning: str, *, parse: Callable[[str], T], shown: str | None = None
) -> T:
    """Value of LABELHUB_<name>; `shown` replaces a default that differs between machines."""
    name = f"LABELHUB_{name}"
    SETTINGS[name] = Setting(name, default if shown is None else shown, meaning)
    raw = os.environ.get(name, default)
    try:
        return parse(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={raw!r} is not usable: {error}") from error


def text(raw: str) -> str:
    return raw.strip()


def boolean(raw: str) -> bool:
    match raw.strip().lower():
        case "true" | "1" | "yes":
            return True
        case "false" | "0" | "no" | "":
            return False
    raise ValueError("write true or false")


def whole(raw: str, *, least: int = 0) -> int:
    if not raw.strip().isdigit() or int(raw) < least:
        raise ValueError(f"write a whole number, {least} or more")
    return int(raw)


def port(raw: str) -> int:
    number = whole(raw, least=1)
    if number > 65535:
        raise ValueError("a port is between 1 and 65535")
    return number


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw.strip() not in choices:
            raise ValueError("write " + " or ".join(choices))
        return raw.strip()

    return parse


def words(raw: str) -> list[str]:
    return [word.strip() for word in raw.split(",") if word.strip()]


def folder(raw: str) -> Path:
    if not raw.strip():
        raise ValueError("name a folder")
    return Path(raw.strip()).expanduser().resolve()


def folders(raw: str) -> list[Path]:
    return [folder(part) for part in raw.split(os.pathsep) if part.strip()]


def http_url(raw: str) -> str:
    if not raw.strip().startswith(("http://", "https://")):
        raise ValueError("it starts with http:// or https://")
    return raw.strip().rstrip("/")


@dataclass(frozen=True, slots=True)
class Address:
    """A network, or the name of a host and of all below it; with every port or one."""

    network: IPv4Network | IPv6Network | None = None
    host: str = ""
    port: int | None = None


def addresses(raw: str) -> list[Address]:
    """`127.0.0.1:9000`, `10.0.0.0/8`, `[::1]:9000`, `store.local`, separated by commas."""
    return [_address(word) for word in words(raw)]


def _address(word: str) -> Address:
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+):(\d+)", word)
    name, number = (found[1] or found[3], found[2] or found[4]) if found else (word, None)
    only = port(number) if number else None
    try:
        return Address(network=ip_network(name, strict=False), port=only)
    except ValueError:
        if not re.fullmatch(r"(?:[\w-]+\.)*[\w-]*[^\W\d][\w-]*", name):
            raise ValueError(f"{word} is no address, network or name of a host")
        return Address(host=name.lower(), port=only)


def long_words(raw: str) -> list[str]:
    """Keys: what is wrong is told without showing them."""
    if any(len(word) < 32 for word in words(raw)):
        raise ImproperlyConfigured("A key for encryption needs 32 characters or more")
    return words(raw)
