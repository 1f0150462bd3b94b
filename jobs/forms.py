"""Forms of the job pages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from annotators.models import User
from annotators.widgets import RadioCards
from datasets import sources
from datasets.access import datasets_of, storages_of
from datasets.models import Dataset, Storage
from jobs.models import Job, Mode
from labelhub.errors import DomainError
from labels.models import COLOURS
from labels.names import clean_label_name, is_valid, suggest

# A line each, or parted by commas, also those of Chinese.
_SEPARATORS = re.compile(r"[\n\r,;、，；]+")
MOST_LABELS = 5_000


class Source(models.TextChoices):
    FOLDER = "folder", gettext_lazy("A folder on the server")
    UPLOAD = "upload", gettext_lazy("Upload from this computer")
    STORAGE = "storage", gettext_lazy("A storage")
    DATASET = "dataset", gettext_lazy("Images of another job")


@dataclass(frozen=True)
class TypedLabel:
    """One name from the list of labels that somebody types."""

    name: str
    colour: int
    suggestion: str = ""
    is_repeated: bool = False


def typed_labels(text: str) -> list[TypedLabel]:
    """The names in the text; one that cannot be a label comes with the name that it could have."""
    typed, seen = [], set()
    for name in filter(None, map(clean_label_name, _SEPARATORS.split(text))):
        colour = len(seen) % COLOURS + 1
        suggestion = "" if is_valid(name) else suggest(name)
        typed.append(TypedLabel(name, colour, suggestion, name in seen))
        seen.add(name)
    return typed


def with_suggestions(text: str) -> str:
    """The text with every name as it may be, a line each."""
    names = dict.fromkeys(one.suggestion or one.name for one in typed_labels(text))
    return "\n".join(names)


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list:
        given: Sequence = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in given if one]


class DatasetField(forms.ModelChoiceField):
    """Datasets have names that people did not give: where they are tells them apart."""

    def label_from_instance(self, dataset: Dataset) -> str:
        if dataset.storage.is_upload_area:
            return _("%(name)s (uploads)") % {"name": dataset.name}
        return f"{dataset.name} ({dataset.place})"


class JobForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=Job._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("Labels per image"),
        choices=[
            (Mode.SINGLE, pgettext_lazy("labels per image", "One")),
            (Mode.MULTI, pgettext_lazy("labels per image", "Several")),
        ],
        initial=Mode.SINGLE,
        widget=RadioCards(
            columns=2,
            meanings={
                Mode.SINGLE: gettext_lazy("A new label replaces the one before."),
                Mode.MULTI: gettext_lazy("An image carries all that apply."),
            },
        ),
    )
    source = forms.ChoiceField(
        label=gettext_lazy("Images"),
        choices=Source.choices,
        initial=Source.FOLDER,
        widget=RadioCards(
            columns=2,
            meanings={
                Source.FOLDER: gettext_lazy("The files stay where they are."),
                Source.UPLOAD: gettext_lazy("Files, folders or a zip."),
                Source.STORAGE: gettext_lazy("A bucket or folder that you connected."),
                Source.DATASET: gettext_lazy("Shared with it; labels are not."),
            },
        ),
    )
    folder = forms.CharField(label=gettext_lazy("Folder"), max_length=1024, required=False)
    storage = forms.ModelChoiceField(
        Storage.objects.none(),
        label=gettext_lazy("Storage"),
        empty_label=gettext_lazy("Choose a storage"),
        required=False,
    )
    prefix = forms.CharField(label=gettext_lazy("Folder"), max_length=1024, required=False)
    dataset = DatasetField(
        Dataset.objects.none(),
        label=gettext_lazy("Dataset"),
        empty_label=gettext_lazy("Choose a dataset"),
        required=False,
        help_text=gettext_lazy("Images that come into it come into all jobs over it."),
    )
    files = FilesField(label=gettext_lazy("Files"), required=False)
    labels = forms.CharField(
        label=gettext_lazy("Labels"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "dir": "auto"}),
    )

    def __init__(self, *args, user: User, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["storage"].queryset = storages_of(user).order_by("name", "pk")
        self.fields["dataset"].queryset = datasets_of(user).order_by("name", "pk")
        if not self.is_bound:
            self.fields["name"].widget.attrs["autofocus"] = True

    @property
    def storages(self) -> QuerySet[Storage]:
        """Those that can be chosen from."""
        return self.fields["storage"].queryset

    def clean_labels(self) -> list[str]:
        typed = typed_labels(self.cleaned_data["labels"])
        errors = [
            _("“%(name)s” cannot be a label. Try “%(suggestion)s”.")
            % {"name": one.name[:80], "suggestion": one.suggestion[:80]}
            for one in typed
            if one.suggestion
        ]
        if len(typed) > MOST_LABELS:
            errors.append(_("Give at most %(most)d labels.") % {"most": MOST_LABELS})
        if errors:
            raise forms.ValidationError(errors)
        return [one.name for one in typed if not one.is_repeated]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        wanted = {
            Source.FOLDER: ("folder", _("Choose a folder, or upload images.")),
            Source.STORAGE: ("storage", _("Choose a storage, or connect one.")),
            Source.DATASET: ("dataset", _("Choose a dataset.")),
        }
        field, message = wanted.get(cleaned.get("source"), ("", ""))
        if field and not cleaned.get(field) and field not in self.errors:
            self.add_error(field, message)
        return cleaned

    def new_job(self) -> dict[str, Any]:
        """What labels.services.create_job_with_labels takes."""
        given = {name: self.cleaned_data[name] for name in ("name", "mode", "labels")}
        return given | {"source": self._source()}

    def _source(self) -> sources.Source:
        given = self.cleaned_data
        match given["source"]:
            case Source.FOLDER:
                return sources.FolderSource(given["folder"])
            case Source.STORAGE:
                return sources.StorageSource(given["storage"], given["prefix"])
            case Source.DATASET:
                return sources.DatasetSource(given["dataset"])
        return sources.UploadSource()

    def refuse(self, error: DomainError) -> None:
        """A refused job: what the services refuse is mostly where its images come from."""
        fields = {Source.FOLDER: "folder", Source.STORAGE: "prefix", Source.DATASET: "dataset"}
        self.add_error(fields.get(self.cleaned_data["source"]), error.message)


class LabelForm(forms.Form):
    """Its name is checked where labels are made."""

    name = forms.CharField(max_length=4000, strip=False)


class ExportForm(forms.Form):
    train = forms.IntegerField(label=gettext_lazy("Training, %"), min_value=0, max_value=100)
    val = forms.IntegerField(label=gettext_lazy("Validation, %"), min_value=0, max_value=100)
    test = forms.IntegerField(label=gettext_lazy("Test, %"), min_value=0, max_value=100)
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"),
        min_value=0,
        max_value=2**31 - 1,
        help_text=gettext_lazy("The same seed gives the same split."),
    )
    with_images = forms.BooleanField(label=gettext_lazy("Copy the images into it"), required=False)

    def __init__(self, *args, **kwargs) -> None:
        initial = {"train": 80, "val": 10, "test": 10, "seed": 0, "with_images": True}
        super().__init__(*args, initial=initial, **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        shares = [cleaned.get(name) for name in ("train", "val", "test")]
        if None not in shares and sum(shares) != 100:
            raise forms.ValidationError(
                _("The three shares add up to %(sum)d, not to 100.") % {"sum": sum(shares)}
            )
        return cleaned

    def options(self) -> dict[str, Any]:
        """What jobs.services.start_export takes."""
        given = self.cleaned_data
        return {
            "format": "paddleclas",
            "ratios": [given["train"], given["val"], given["test"]],
            "seed": given["seed"],
            "with_images": given["with_images"],
        }
