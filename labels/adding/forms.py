"""The form for adding data."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from annotators.models import Member
from annotators.widgets import RadioCards
from datasets.access import storages_of
from datasets.formats.readers import READERS
from datasets.models import Storage
from jobs.forms import FilesField
from jobs.models import SampleState
from labels.additions import Addition
from labels.names import clean_label_name


class Source(models.TextChoices):
    UPLOAD = "upload", gettext_lazy("Upload from this computer")
    OWN = "own", gettext_lazy("A folder of this dataset")
    STORAGE = "storage", gettext_lazy("A storage of mine")
    FOLDER = "folder", gettext_lazy("A folder on the server")


SOURCE_MEANINGS = {
    Source.UPLOAD: gettext_lazy("Files, folders or a zip."),
    Source.OWN: gettext_lazy("What lies there already."),
    Source.STORAGE: gettext_lazy("Copied from a bucket or folder that you connected."),
    Source.FOLDER: gettext_lazy("Copied from the machine that runs LabelHub."),
}
STATE_MEANINGS = {
    SampleState.UNLABELED: gettext_lazy("Images alone, to be labeled here."),
    SampleState.LABELED: gettext_lazy("Labels come along and count at once."),
    SampleState.TO_CONFIRM: gettext_lazy("Labels come as suggestions until somebody confirms."),
}
FOUND_OUT = "auto"
# A page that is left open does not make an upload of everything since.
LONGEST_UPLOAD = timedelta(days=7)


def sources_for(member: Member) -> list[Source]:
    """Without leave to write, only what is in the dataset's own storage; folders and storages are
    for those who create jobs."""
    if not member.job.dataset.takes_uploads:
        return [Source.OWN]
    if not member.user.can_create_jobs:
        return [Source.UPLOAD, Source.OWN]
    return list(Source)


class AdditionForm(forms.Form):
    source = forms.ChoiceField(
        label=gettext_lazy("Data source"), widget=RadioCards(columns=2, meanings=SOURCE_MEANINGS)
    )
    path = forms.CharField(max_length=1024, required=False, strip=False)
    storage = forms.ModelChoiceField(Storage.objects.none(), required=False)
    prefix = forms.CharField(max_length=1024, required=False, strip=False)
    folder = forms.CharField(max_length=1024, required=False)
    files = FilesField(required=False)
    state = forms.ChoiceField(
        label=gettext_lazy("Labeling status"),
        choices=[(state.value, state.label) for state in STATE_MEANINGS],
        initial=SampleState.UNLABELED,
        widget=RadioCards(columns=3, meanings=STATE_MEANINGS),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Labels are written as"),
        choices=[
            (FOUND_OUT, pgettext_lazy("format of labels", "Found out by itself")),
            *((name, reader.title) for name, reader in READERS.items()),
        ],
    )
    label_files = forms.CharField(
        label=gettext_lazy("Label files"),
        max_length=10_000,
        required=False,
        help_text=gettext_lazy(
            "Manifest, list or table below the folder, one a line. Empty: found out by itself."
        ),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "dir": "auto"}),
    )
    only = forms.CharField(
        label=gettext_lazy("Only these labels"),
        max_length=200_000,
        required=False,
        help_text=gettext_lazy("As they are called in the files, one a line. Empty: all."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "dir": "auto"}),
    )
    only_hard = forms.BooleanField(
        label=gettext_lazy("Only labels of hard examples"), required=False
    )
    into = forms.CharField(
        label=gettext_lazy("Copy into the folder"),
        max_length=1024,
        required=False,
        help_text=gettext_lazy("Of this dataset. Empty: as it lies in the source."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "dir": "auto"}),
    )
    uploaded_since = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sources = sources_for(member)
        self.fields["source"].choices = [(one.value, one.label) for one in self.sources]
        self.fields["source"].initial = self.sources[0]
        self.fields["uploaded_since"].initial = lambda: timezone.now().isoformat()
        self.fields["storage"].queryset = storages_of(member.user).order_by("name", "pk")

    @property
    def chosen_source(self) -> str:
        return self["source"].value() or self.sources[0]

    def clean_uploaded_since(self):
        now = timezone.now()
        given = self.cleaned_data["uploaded_since"] or now
        return min(max(given, now - LONGEST_UPLOAD), now)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        wanted = {
            Source.STORAGE: ("storage", _("Choose a storage, or connect one.")),
            Source.FOLDER: ("folder", _("Choose a folder.")),
        }
        field, message = wanted.get(cleaned.get("source"), ("", ""))
        if field and not cleaned.get(field) and field not in self.errors:
            self.add_error(field, message)
        return cleaned

    def addition(self, data: QueryDict) -> Addition:
        """What is to be added; `data` has what the preview added to the form: label files that it
        found, and other names for labels."""
        given = self.cleaned_data
        source = given["source"]
        is_copied = source in (Source.STORAGE, Source.FOLDER)
        labels = {} if given["state"] == SampleState.UNLABELED else self._labels(data)
        return Addition(
            storage=given["storage"].pk if source == Source.STORAGE else None,
            folder=given["folder"] if source == Source.FOLDER else "",
            path={Source.OWN: given["path"], Source.STORAGE: given["prefix"]}.get(source, ""),
            into=given["into"] if is_copied else "",
            state=given["state"],
            uploaded_since=given["uploaded_since"] if source == Source.UPLOAD else None,
            **labels,
        )

    def _labels(self, data: QueryDict) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "format": "" if given["format"] == FOUND_OUT else given["format"],
            "files": tuple(_lines(given["label_files"])),
            "renames": _renames(data),
            "only": tuple(_lines(given["only"])),
            "only_hard": given["only_hard"],
        }


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _renames(data: QueryDict) -> Mapping[str, str]:
    pairs = zip(data.getlist("raw"), data.getlist("renamed"), strict=False)
    return {raw: name for raw, typed in pairs if (name := clean_label_name(typed))}
