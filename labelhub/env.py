"""Reads the settings of LabelHub from `LABELHUB_*` environment variables, each one once.

A wrong value stops the start with the variable's name. Every variable that is read is noted in
`SETTINGS`, from which `manage.py settings_table` writes the table in the README.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
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
