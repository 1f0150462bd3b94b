"""Why a file, folder or archive could not be taken, in words for the person who gave it.

Codes are stored and sent; the words are made when somebody reads them, in their language.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from datasets.names import readable

_MESSAGES = {
    # Images
    "empty-file": _("The file is empty (0 bytes). Copy or upload it again."),
    "not-an-image": _("This is not an image, whatever its name says."),
    "truncated": _(
        "The image is cut off: its end is missing. Copy or upload it again from the original."
    ),
    "unreadable": _(
        "The %(format)s image is damaged or of a variant that cannot be read. Open it in an image "
        "editor and save it as JPEG or PNG."
    ),
    "too-many-pixels": _(
        "The image is too large: %(width)s × %(height)s is %(megapixels)s megapixels, at most "
        "%(limit)s are allowed. Make it smaller, or ask the administrator to raise the limit."
    ),
    "too-large-file": _(
        "The file is too large: %(megabytes)s MB, at most %(limit)s MB are allowed. Make it "
        "smaller, or ask the administrator to raise the limit."
    ),
    "format-not-supported": _(
        "%(format)s files cannot be labeled here. Save it as JPEG or PNG and add that."
    ),
    "wrong-extension": _("The name ends in %(suffix)s, yet this is a %(format)s image."),
    "several-frames": _("The file holds several pictures; only the first is shown and labeled."),
    # Storage
    "missing": _("There is no such file."),
    "no-access": _("The server may not read it. Give the account that runs LabelHub access."),
    "not-a-file": _("This is not an ordinary file."),
    "outside-root": _("The path leads out of the folder that holds the images."),
    "link-outside-root": _(
        "This is a link to a place outside the folder that holds the images. Put the file itself "
        "there."
    ),
    "link-broken": _("This is a link to something that is not there."),
    "link-to-folder": _(
        "This is a link to a folder; links to folders are not followed. Put the folder itself "
        "there, or add the one it leads to."
    ),
    "name-not-utf8": _("The name is not valid UTF-8. Rename the file."),
    "name-too-long": _(
        "The name is too long: a file name may have 255 bytes, a path with all its folders 1,024 "
        "characters. Rename it."
    ),
    "name-taken": _("A file and a folder cannot have the same name."),
    "name-taken-by-other": _(
        "Another file has this name already; it was not replaced. Rename the file and add it again."
    ),
    "read-only": _("The server may not write or delete there."),
    "no-space": _("The disk of the server is full. Free some space and try again."),
    "incomplete": _("%(received)s bytes arrived instead of %(size)s. Upload the file once more."),
    "storage-failed": _("The storage answered with an error: %(reason)s"),
    # Folders that people type
    "no-folder": _("Give the path of a folder."),
    "folder-missing": _("There is no such folder on the server."),
    "not-a-folder": _("This is a file, not a folder."),
    "outside-allowed-roots": _(
        "Images may not be taken from this folder. Choose one inside %(roots)s, or ask the "
        "administrator to allow it (LABELHUB_IMAGE_ROOTS)."
    ),
    # Archives
    "not-a-zip": _("This is not a zip archive."),
    "damaged-archive": _("The zip archive is damaged or incomplete. Upload it once more."),
    "empty-archive": _("There is no file in the zip archive."),
    "too-many-members": _(
        "There are too many files in the zip archive: at most %(limit)s are allowed. Split it."
    ),
    "archive-too-large": _(
        "The files in the zip archive are too large together: %(megabytes)s MB, at most %(limit)s "
        "MB are allowed. Split it."
    ),
    "unsafe-name": _("The path leads out of the folder it belongs in. Nothing was stored."),
    "link-in-archive": _("This is a link or a device. Archives may hold files and folders only."),
    "encrypted": _("The file is protected by a password. Make the zip archive without one."),
    "compression-not-supported": _(
        "The file is packed in a way that cannot be read. Make the zip archive anew, with the "
        "ordinary compression."
    ),
    "compression-bomb": _("The file would unpack to %(ratio)s times its size; that is no picture."),
    "damaged-member": _("The file is damaged inside the zip archive. Make the archive anew."),
    "duplicate-member": _("The archive holds this name twice; the first one was taken."),
    "nested-archive": _("Archives inside an archive are not unpacked. Upload it on its own."),
}


class _Params(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        # A stored problem can be older than the words for it.
        return "…"


def describe(code: str, params: Mapping[str, Any] | None = None) -> str:
    """What happened and what to do, begun with the name of the item where `params` has one."""
    given = _Params(
        {
            name: readable(value) if isinstance(value, str) else value
            for name, value in (params or {}).items()
        }
    )
    text = str(_MESSAGES[code]) % given if code in _MESSAGES else code
    return f"{given['item']}: {text}" if given.get("item") else text


def codes() -> frozenset[str]:
    """Every code that there are words for."""
    return frozenset(_MESSAGES)


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}".removesuffix(".0")
