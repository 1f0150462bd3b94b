"""Who did what when: the changes of a job, and those of one image, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotators.models import Member, User
from annotators.roles import Ability
from jobs.models import Change, ChangeItem, Sample, Verb
from labels.labelset import sentences
from labels.models import Label
from labels.undo import label_in, why_not
from runs.models import Run

PER_PAGE = 50
MOST_OF_SAMPLE = 100


@dataclass(frozen=True)
class Entry:
    """A change as pages show it. `run` is still at work on it; `message` begins with a verb."""

    id: int
    verb: str
    who: User | None
    when: datetime
    count: int
    message: str
    skipped: int
    undone_by: User | None
    undone_at: datetime | None
    run: Run | None
    may_undo: bool

    @property
    def is_undone(self) -> bool:
        return self.undone_at is not None

    @property
    def is_undo(self) -> bool:
        return self.verb == Verb.UNDO


@dataclass(frozen=True)
class Place:
    """Which changes: of one person, with one verb, older than one."""

    by: int | None = None
    verb: str = ""
    before: int | None = None

    def query(self, **changes: Any) -> str:
        query = QueryDict(mutable=True)
        for name, value in ({"by": self.by, "verb": self.verb} | changes).items():
            if value:
                query[name] = value
        return query.urlencode()

    @property
    def address(self) -> str:
        """The query string of this very page."""
        return self.query(before=self.before)


@dataclass(frozen=True)
class Page:
    entries: list[Entry]
    next: int | None


def read_place(query: Mapping[str, str]) -> Place:
    """What makes no sense is as if it was not there."""
    verb = query.get("verb", "")
    return Place(
        by=_number(query.get("by")),
        verb=verb if verb in Verb.values else "",
        before=_number(query.get("before")),
    )


def _number(raw: str | None) -> int | None:
    return int(raw) if raw and raw.isascii() and raw.isdigit() and len(raw) < 19 else None


def read_page(member: Member, place: Place) -> Page:
    """The newest first: two statements, whatever their number."""
    changes = member.job.changes.select_related("actor", "reverted_by__actor").order_by("-pk")
    if place.by is not None:
        changes = changes.filter(actor=place.by)
    if place.verb:
        changes = changes.filter(verb=place.verb)
    if place.before is not None:
        changes = changes.filter(pk__lt=place.before)
    found = list(changes[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    runs = _at_work(shown)
    entries = [
        _entry(member, change, sentence(change), runs.get(change.params.get("run")))
        for change in shown
    ]
    return Page(entries, shown[-1].pk if len(found) > PER_PAGE else None)


def _at_work(changes: Iterable[Change]) -> dict[int, Run]:
    ids = [change.params["run"] for change in changes if "run" in change.params]
    return {run.pk: run for run in Run.objects.filter(pk__in=ids) if not run.is_over}


def of_sample(member: Member, sample: Sample) -> list[Entry]:
    """What was done to one image, the newest first: two statements."""
    items = ChangeItem.objects.filter(sample=sample).order_by("-change_id")
    items = list(items.select_related("change__actor", "change__reverted_by__actor"))
    items = items[:MOST_OF_SAMPLE]
    ids = {label_in(row) for item in items for row in [*item.added, *item.removed]}
    names = dict(Label.everything.filter(job=member.job, pk__in=ids).values_list("pk", "name"))
    return [_entry(member, item.change, item_sentence(item, names), None, 1) for item in items]


def _entry(
    member: Member, change: Change, message: str, run: Run | None, count: int | None = None
) -> Entry:
    undone = getattr(change, "reverted_by", None)
    is_own = change.actor_id == member.user.pk
    may = member.can(Ability.LABEL) and (is_own or member.can(Ability.UNDO_OTHERS))
    return Entry(
        id=change.pk,
        verb=change.verb,
        who=change.actor,
        when=change.created_at,
        count=change.sample_count if count is None else count,
        message=message,
        skipped=change.params.get("skipped", 0),
        undone_by=undone.actor if undone else None,
        undone_at=undone.created_at if undone else None,
        run=run,
        may_undo=may and not why_not(change),
    )


# Words -------------------------------------------------------------------------------------------
def sentence(change: Change) -> str:
    """What was done, without who did it: "labeled 37 images cat"."""
    if "does" in change.params:
        first = change.params.get("first")
        said = sentences.said(change.params, first["number"] if first else change.sample_count)
        return _reverted(change, first, said)
    what = change.params.get("what")
    if what is None:
        return _said(change.verb, change.sample_count, change.params)
    return _reverted(change, what, _said(what["verb"], what["number"], what["params"]))


def _reverted(change: Change, first: dict[str, Any] | None, said: str) -> str:
    """Of an undo, that it is one, and of what; `first`: who did that."""
    if change.verb not in (Verb.UNDO, Verb.REDO):
        return said
    redid = change.verb == Verb.REDO
    if first is None or first["actor"] == change.actor_id or not first["name"]:
        return (_("redid: %(what)s") if redid else _("undid: %(what)s")) % {"what": said}
    text = (
        _("redid what %(name)s did: %(what)s") if redid else _("undid what %(name)s did: %(what)s")
    )
    return text % {"what": said, "name": first["name"]}


def _said(verb: str, number: int, params: dict[str, Any]) -> str:
    values = {
        "n": intcomma(number),
        "labels": listed(params.get("add") or params.get("set")),
        "removed": listed(params.get("remove")),
    }
    if verb == Verb.LABEL:
        return _labeled(number, params, values)
    return _plain(verb, number, values["labels"]) % values


def _labeled(number: int, params: dict[str, Any], values: dict[str, str]) -> str:
    if replace := params.get("replace"):
        (_old, values["old"]), (_new, values["new"]) = replace
        text = ngettext(
            "replaced %(old)s by %(new)s on %(n)s image",
            "replaced %(old)s by %(new)s on %(n)s images",
            number,
        )
    elif params.get("nothing"):
        text = ngettext(
            "marked %(n)s image: nothing applies", "marked %(n)s images: nothing applies", number
        )
    elif not values["labels"] and (params.get("clear") or "set" in params):
        text = ngettext(
            "cleared the labels of %(n)s image", "cleared the labels of %(n)s images", number
        )
    elif values["labels"] and values["removed"]:
        text = ngettext(
            "labeled %(n)s image %(labels)s, no longer %(removed)s",
            "labeled %(n)s images %(labels)s, no longer %(removed)s",
            number,
        )
    elif params.get("set") or params.get("clear"):
        text = ngettext(
            "labeled %(n)s image %(labels)s and nothing else",
            "labeled %(n)s images %(labels)s and nothing else",
            number,
        )
    elif values["labels"]:
        text = ngettext("labeled %(n)s image %(labels)s", "labeled %(n)s images %(labels)s", number)
    elif values["removed"]:
        text = ngettext(
            "took %(removed)s off %(n)s image", "took %(removed)s off %(n)s images", number
        )
    else:
        text = ngettext("labeled %(n)s image", "labeled %(n)s images", number)
    return text % values


def _plain(verb: str, number: int, labels: str) -> str:
    match verb:
        case Verb.ACCEPT if labels:
            return ngettext(
                "accepted %(labels)s for %(n)s image",
                "accepted %(labels)s for %(n)s images",
                number,
            )
        case Verb.ACCEPT:
            return ngettext(
                "accepted the suggestion for %(n)s image",
                "accepted suggestions for %(n)s images",
                number,
            )
        case Verb.REJECT if labels:
            return ngettext(
                "rejected %(labels)s for %(n)s image",
                "rejected %(labels)s for %(n)s images",
                number,
            )
        case Verb.REJECT:
            return ngettext(
                "rejected the suggestion for %(n)s image",
                "rejected suggestions for %(n)s images",
                number,
            )
        case Verb.HARD:
            return ngettext(
                "marked %(n)s image as hard example", "marked %(n)s images as hard examples", number
            )
        case Verb.NOT_HARD:
            return ngettext(
                "took the mark “hard example” off %(n)s image",
                "took the mark “hard example” off %(n)s images",
                number,
            )
        case Verb.IMPORT:
            return ngettext(
                "imported the labels of %(n)s image",
                "imported the labels of %(n)s images",
                number,
            )
        case Verb.TRASH:
            return ngettext("deleted %(n)s image", "deleted %(n)s images", number)
        case Verb.RESTORE:
            return ngettext("restored %(n)s image", "restored %(n)s images", number)
        case Verb.DELETE_FILES:
            return ngettext(
                "deleted the source file of %(n)s image",
                "deleted the source files of %(n)s images",
                number,
            )
    name = str(Verb(verb).label).replace("%", "%%")
    return name + ngettext(" (%(n)s image)", " (%(n)s images)", number)


def listed(pairs: Iterable[list[Any]] | None) -> str:
    """Names of labels, the first few of them, from pairs of id and name."""
    return sentences.in_a_row(str(name) for _id, name in pairs or ())


def item_sentence(item: ChangeItem, names: Mapping[int, str]) -> str:
    """What a change did to one image. `names` are those that labels have now."""
    change = item.change
    if "does" in change.params:
        return _reverted(change, None, sentences.said(change.params))

    def known(rows: Iterable[Any]) -> str:
        return ", ".join(names.get(label_in(row), "?") for row in rows)

    added, removed = known(item.added), known(item.removed)
    if change.verb == Verb.UNDO:
        # What it undid went the other way.
        added, removed = removed, added
    first = change.params.get("what") or {"verb": change.verb, "params": change.params}
    return _reverted(change, None, _said_of_one(first["verb"], first["params"], added, removed))


def _said_of_one(verb: str, params: dict[str, Any], added: str, removed: str) -> str:
    values = {"labels": added, "removed": removed}
    if verb == Verb.LABEL and params.get("nothing"):
        text = _("marked it: nothing applies")
    elif added and verb == Verb.ACCEPT:
        text = _("accepted %(labels)s for it")
    elif added and verb == Verb.IMPORT:
        text = _("imported its label %(labels)s")
    elif added and removed:
        text = _("labeled it %(labels)s instead of %(removed)s")
    elif added:
        text = _("labeled it %(labels)s")
    elif removed:
        text = _("took %(removed)s off")
    else:
        return _said_of_it(verb, params)
    return text % values


def _said_of_it(verb: str, params: dict[str, Any]) -> str:
    """Where no label came or went."""
    match verb:
        case Verb.LABEL:
            return _("marked it as unlabeled")
        case Verb.HARD:
            return _("marked it as hard example")
        case Verb.NOT_HARD:
            return _("took the mark “hard example” off")
        case Verb.TRASH:
            return _("deleted it")
        case Verb.RESTORE:
            return _("restored it")
        case Verb.IMPORT:
            return _("imported what was known of it")
    return _said(verb, 1, params)
