"""The rule for the length of passwords, with its message."""

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import ngettext


class LongEnough(MinimumLengthValidator):
    # Django 5.2 changed this text, and its Chinese catalog still has the former one.
    def get_error_message(self) -> str:
        text = ngettext(
            "This password is too short: it needs %(n)d character or more.",
            "This password is too short: it needs %(n)d characters or more.",
            self.min_length,
        )
        return text % {"n": self.min_length}
