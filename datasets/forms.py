"""Forms of the storage pages. What is typed as a key is kept from pages, logs and errors."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy

from annotators.models import User
from annotators.widgets import PasswordWithReveal, RadioCards
from datasets.models import AddressingChoice, Storage, StorageKind
from datasets.places import BucketPlace, FolderPlace, Place
from datasets.secrets import Secret
from datasets.storages.s3_connection import Keys
from labelhub.errors import DomainError

# Fields that a refusal of the services is about.
FIELDS = {
    "name": "name",
    "no-folder": "root",
    "folder-missing": "root",
    "not-a-folder": "root",
    "no-access": "root",
    "outside-allowed-roots": "root",
    "own-folder": "root",
    "folder_connected": "root",
    "endpoint-invalid": "endpoint",
    "endpoint-unknown": "endpoint",
    "endpoint-refused": "endpoint",
    "region-invalid": "region",
    "bucket-name-invalid": "bucket",
    "key-not-a-path": "prefix",
    "name-too-long": "prefix",
    "keys-missing": "access_key",
    "keys-needed": "access_key",
}
_OBS_DOMAIN = ".myhuaweicloud."


class Preset(models.TextChoices):
    """Kinds of storages as people know them. They differ in hints; three of them are buckets."""

    AMAZON = "amazon", "Amazon S3"
    OBS = "obs", gettext_lazy("Huawei OBS")
    OTHER = "other", gettext_lazy("Another S3 storage")
    FOLDER = "folder", gettext_lazy("A folder of the server")


def preset_of(storage: Storage) -> Preset:
    if storage.kind == StorageKind.LOCAL:
        return Preset.FOLDER
    if not storage.endpoint:
        return Preset.AMAZON
    return Preset.OBS if _OBS_DOMAIN in storage.endpoint else Preset.OTHER


def _text(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"} | attrs)


class SecretInput(PasswordWithReveal):
    """What is typed stays in its field when htmx shows the form again, and is never sent back."""

    template_name = "datasets/_secret_input.html"

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password", "spellcheck": "false"})


class KeysForm(forms.Form):
    """Keys of a bucket. `own_keys`, for administrators: those of the server instead."""

    # Some fields are hidden: the browser would refuse to send the form and could not say why.
    use_required_attribute = False

    access_key = forms.CharField(
        label=gettext_lazy("Access key"),
        max_length=200,
        widget=_text(),
        error_messages={"required": gettext_lazy("Enter the access key.")},
    )
    secret_key = forms.CharField(
        label=gettext_lazy("Secret key"),
        max_length=500,
        widget=SecretInput(),
        error_messages={"required": gettext_lazy("Enter the secret key.")},
    )
    session_token = forms.CharField(
        label=gettext_lazy("Session token"),
        max_length=5000,
        required=False,
        widget=SecretInput(),
        help_text=gettext_lazy("Temporary keys come with one; they stop working after hours."),
    )
    own_keys = forms.BooleanField(
        label=gettext_lazy("Use the server’s own keys, of its environment or machine"),
        required=False,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_superuser:
            del self.fields["own_keys"]

    def full_clean(self) -> None:
        """What is required depends on what else is chosen; labels stay as they are."""
        spared = [name for name in self._not_wanted() if self.fields[name].required]
        for name in spared:
            self.fields[name].required = False
        super().full_clean()
        for name in spared:
            self.fields[name].required = True

    def _not_wanted(self) -> set[str]:
        has_own = "own_keys" in self.fields and self["own_keys"].value()
        return {"access_key", "secret_key"} if has_own else set()

    @property
    def keys(self) -> Keys | None:
        """None: those of the server, or those that are stored."""
        given = self.cleaned_data
        if not given["access_key"] or given.get("own_keys"):
            return None
        token = Secret(given["session_token"]) if given["session_token"] else None
        return Keys(
            access_key=given["access_key"],
            secret_key=Secret(given["secret_key"]),
            session_token=token,
        )

    def refuse(self, error: DomainError) -> None:
        field = FIELDS.get(error.code)
        self.add_error(field if field in self.fields else None, error.message)


class StorageForm(KeysForm):
    """A storage that is there: what it is does not change, and its keys stay unless typed anew."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=Storage._meta.get_field("name").max_length,
        widget=_text(dir="auto"),
    )
    root = forms.CharField(
        label=gettext_lazy("Folder"),
        max_length=1024,
        widget=_text(dir="auto", **{"aria-describedby": "root-hints"}),
        error_messages={"required": gettext_lazy("Give the path of a folder.")},
    )
    endpoint = forms.CharField(
        label=gettext_lazy("Endpoint"),
        max_length=300,
        error_messages={"required": gettext_lazy("Enter the address of the storage.")},
        widget=_text(inputmode="url", **{"aria-describedby": "endpoint-hints"}),
    )
    region = forms.CharField(
        label=gettext_lazy("Region"),
        max_length=63,
        required=False,
        widget=_text(**{"aria-describedby": "region-hints"}),
    )
    bucket = forms.CharField(
        label=gettext_lazy("Bucket"),
        max_length=63,
        widget=_text(),
        error_messages={"required": gettext_lazy("Enter the name of the bucket.")},
    )
    prefix = forms.CharField(
        label=gettext_lazy("Folder in the bucket"),
        max_length=1024,
        required=False,
        widget=_text(dir="auto"),
        help_text=gettext_lazy("Nothing outside it is read or written."),
    )
    addressing = forms.ChoiceField(
        label=gettext_lazy("Addressing"),
        choices=[
            (AddressingChoice.AUTO, AddressingChoice.AUTO.label),
            (AddressingChoice.PATH, gettext_lazy("Path: host/bucket")),
            (AddressingChoice.VIRTUAL, gettext_lazy("Virtual: bucket.host")),
        ],
        initial=AddressingChoice.AUTO,
        help_text=gettext_lazy("Automatic fits nearly everywhere."),
    )
    presigns = forms.BooleanField(
        label=gettext_lazy("Browsers can reach the storage"),
        initial=True,
        required=False,
        help_text=gettext_lazy(
            "They may then fetch originals straight from it, with links that end after a while."
        ),
    )
    keeps_keys = True

    def __init__(self, *args: Any, storage: Storage, **kwargs: Any) -> None:
        self.preset = preset_of(storage)
        names = ("name", "root", "endpoint", "region", "bucket", "prefix", "addressing", "presigns")
        initial = {name: getattr(storage, name) for name in names}
        super().__init__(*args, initial=initial, **kwargs)
        if self.keeps_keys:
            self.fields["access_key"].required = self.fields["secret_key"].required = False

    @property
    def is_folder(self) -> bool:
        return self.preset == Preset.FOLDER

    @property
    def place(self) -> Place:
        given = self.cleaned_data
        if self.is_folder:
            return FolderPlace(root=given["root"])
        names = ("bucket", "endpoint", "region", "prefix", "addressing", "presigns")
        return BucketPlace(**{name: given[name] for name in names})

    def _not_wanted(self) -> set[str]:
        if self.is_folder:
            return {"endpoint", "bucket", "addressing", "access_key", "secret_key"}
        endpoint = {"endpoint"} if self.preset == Preset.AMAZON else set()
        return super()._not_wanted() | endpoint | {"root"}

    def clean(self) -> dict[str, Any]:
        """Of keys that are typed there have to be both."""
        cleaned = super().clean()
        if not self.is_folder and not cleaned.get("own_keys"):
            names = ("access_key", "secret_key", "session_token")
            typed = any(cleaned.get(name) for name in names)
            for name in names[:2]:
                if typed and name not in self.errors and not cleaned.get(name):
                    message = self.fields[name].error_messages["required"]
                    self.add_error(name, message)
        return cleaned


class NewStorageForm(StorageForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=Preset.choices,
        initial=Preset.AMAZON,
        widget=RadioCards(
            columns=2,
            meanings={
                Preset.AMAZON: gettext_lazy("A bucket of Amazon Web Services."),
                Preset.OBS: gettext_lazy("A bucket of Huawei Cloud, as ModelArts uses."),
                Preset.OTHER: gettext_lazy("MinIO, Ceph, Cloudflare R2, Wasabi and others."),
                Preset.FOLDER: gettext_lazy("The disk of the machine that runs LabelHub."),
            },
        ),
    )
    keeps_keys = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, storage=Storage(), **kwargs)
        if not self.is_bound:
            self.fields["name"].widget.attrs["autofocus"] = True

    def full_clean(self) -> None:
        # What is required depends on it.
        chosen = self["kind"].value()
        self.preset = Preset(chosen) if chosen in Preset.values else Preset.AMAZON
        super().full_clean()
