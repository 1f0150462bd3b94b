"""Controls that Django has no widget for."""

from collections.abc import Mapping
from typing import Any

from django import forms


class PasswordWithReveal(forms.PasswordInput):
    """A password with a button that shows it; without a script it is a plain password field."""

    template_name = "_password_input.html"


class RadioCards(forms.RadioSelect):
    """One card for each choice, with a sentence on what the choice means."""

    template_name = "_radio_cards.html"

    def __init__(
        self, *, meanings: Mapping[str, Any], columns: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.meanings = meanings
        self.columns = columns

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        context["widget"]["columns"] = self.columns
        return context

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        option["meaning"] = self.meanings.get(value, "")
        return option
