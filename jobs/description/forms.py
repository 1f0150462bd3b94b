"""The forms of a job's settings."""

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.description.services import LONGEST_NAME, LONGEST_TEXT


class JobSettingsForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    instructions = forms.CharField(
        label=_("Labeling description"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 14, "dir": "auto"}),
    )


class PictureForm(forms.Form):
    picture = forms.FileField(
        label=_("Picture"), widget=forms.FileInput(attrs={"accept": "image/*"})
    )
