"""What was done to the labels of a job, for histories: sentences without who did it."""

from collections.abc import Iterable
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labels.labelset import edits
from labels.labelset.deletion import Policy
from labels.labelset.removal import DELETE, MERGE

MOST_NAMES = 5


def said(params: dict[str, Any], number: int = 0) -> str:
    """From what a change of labels keeps; `number` of images, where they are to be named."""
    return _SENTENCES[params["does"]](params, number)


def in_a_row(names: Iterable[str]) -> str:
    """Names of labels, the first few of them."""
    names = list(names)
    text = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    if more <= 0:
        return text
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": text,
        "n": more,
    }


def _with(what: str, images: str, number: int) -> str:
    """“merged cat into dog · 120 images”."""
    return f"{what} · {images % {'n': intcomma(number)}}" if number else what


def _merged(params: dict[str, Any], number: int) -> str:
    text = _("merged %(labels)s into %(target)s")
    what = text % {"labels": in_a_row(params["names"]), "target": params["into"]}
    return _with(what, ngettext("%(n)s image", "%(n)s images", number), number)


def _deleted(params: dict[str, Any], number: int) -> str:
    names = params["names"]
    text = ngettext("deleted the label %(labels)s", "deleted the labels %(labels)s", len(names))
    if params.get("policy") == Policy.IMAGES:
        images = ngettext(
            "%(n)s image, deleted if it carried nothing else",
            "%(n)s images, deleted where they carried nothing else",
            number,
        )
    elif params.get("deletes_files"):
        images = ngettext(
            "%(n)s image, its file deleted if it carried nothing else",
            "%(n)s images, their files deleted where they carried nothing else",
            number,
        )
    else:
        images = ngettext("%(n)s image kept", "%(n)s images kept", number)
    return _with(text % {"labels": in_a_row(names)}, images, number)


def _added(params: dict[str, Any], number: int) -> str:  # noqa: ARG001
    names = params["names"]
    text = ngettext("added the label %(labels)s", "added %(n)s labels: %(labels)s", len(names))
    return text % {"n": intcomma(len(names)), "labels": in_a_row(names)}


def _edited(params: dict[str, Any], number: int) -> str:  # noqa: ARG001
    before, after = params["before"], params["after"]
    values = {"label": params["name"], "key": str(after.get("key", "")).upper()}
    if "name" in after:
        return _("renamed %(old)s to %(new)s") % {"old": before["name"], "new": after["name"]}
    match list(after):
        case ["colour"]:
            return _("changed the colour of %(label)s") % values
        case ["description"]:
            return _("changed the description of %(label)s") % values
        case ["key"] if after["key"]:
            return _("gave %(label)s the key %(key)s") % values
        case ["key"]:
            return _("took the key off %(label)s") % values
    return _("changed the label %(label)s") % values


def _moved(params: dict[str, Any], number: int) -> str:  # noqa: ARG001
    values = {"label": params["name"], "place": intcomma(params["after"] + 1)}
    return _("moved %(label)s to place %(place)s") % values


def _ordered(params: dict[str, Any], number: int) -> str:  # noqa: ARG001
    return _("put the labels into another order")


_SENTENCES = {
    MERGE: _merged,
    DELETE: _deleted,
    edits.ADD: _added,
    edits.EDIT: _edited,
    edits.MOVE: _moved,
    edits.ORDER: _ordered,
}
