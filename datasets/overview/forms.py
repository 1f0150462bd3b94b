"""Forms of the dataset page."""

from django import forms
from django.utils.translation import gettext_lazy, npgettext_lazy, pgettext_lazy

from datasets.models import Dataset

_OFF = pgettext_lazy("schedule", "Off")
_MINUTES = npgettext_lazy("schedule", "Every %(n)d minute", "Every %(n)d minutes", "n")
_PRESETS = {
    5: pgettext_lazy("schedule", "Every 5 minutes"),
    15: pgettext_lazy("schedule", "Every 15 minutes"),
    60: pgettext_lazy("schedule", "Every hour"),
    360: pgettext_lazy("schedule", "Every 6 hours"),
    1440: pgettext_lazy("schedule", "Every day"),
}


class DatasetForm(forms.ModelForm):
    class Meta:
        model = Dataset
        fields = ["name", "reads_labels"]
        labels = {
            "name": gettext_lazy("Name"),
            "reads_labels": gettext_lazy("Texts beside images are labels"),
        }
        help_texts = {
            "reads_labels": gettext_lazy(
                "A synchronization takes 1.txt beside 1.jpg as its labels, one a line, for images "
                "that are new or changed."
            )
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
            "reads_labels": forms.CheckboxInput(attrs={"class": "switch"}),
        }


class ScheduleForm(forms.Form):
    minutes = forms.TypedChoiceField(
        label=gettext_lazy("Synchronize by itself"), coerce=int, empty_value=0
    )

    def __init__(self, *args, dataset: Dataset, **kwargs) -> None:
        super().__init__(*args, initial={"minutes": dataset.sync_minutes or 0}, **kwargs)
        choices = [(0, _OFF), *_PRESETS.items()]
        own = dataset.sync_minutes
        if own and own not in _PRESETS:
            choices.append((own, _MINUTES % {"n": own}))
        self.fields["minutes"].choices = choices
