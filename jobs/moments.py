"""Points in time as people write them in a filter: a day, a day and hour, or so long ago."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

_AGO = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def read(raw: str, *, is_end: bool) -> datetime | None:
    """The moment that `2026-01-31`, `2026-01-31T12:00` or `7d` stands for; None: neither.

    A day as the end of a range belongs to the range. `h`, `d` and `w` count back from now.
    """
    try:
        if ago := _AGO.fullmatch(raw):
            return timezone.now() - int(ago[1]) * _UNITS[ago[2]]
        if day := parse_date(raw):
            start = datetime.combine(day + timedelta(days=is_end), datetime.min.time())
            return timezone.make_aware(start)
        moment = parse_datetime(raw)
        if moment is None:
            return None
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    except (ValueError, OverflowError):
        return None


class MomentField(forms.CharField):
    default_error_messages = {
        "invalid": _("Write a day (2026-01-31), a day and time, or how long ago (7d, 12h, 2w).")
    }

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.is_end = is_end

    def clean(self, value: Any) -> datetime | None:
        raw = super().clean(value)
        if not raw:
            return None
        moment = read(raw, is_end=self.is_end)
        if moment is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment


def days(first: datetime, end: datetime | None, *, most: int) -> list[date] | None:
    """The days in UTC that the range touches; None: too many to name."""
    start, last = first.astimezone(UTC).date(), (end or timezone.now() + _SKEW).astimezone(UTC)
    number = (last.date() - start).days + 1
    return [start + timedelta(days=at) for at in range(max(number, 0))] if number <= most else None


# Clocks of several machines differ a little.
_SKEW = timedelta(days=1)
