"""Edits of single labels and of their order. Each is one row or one statement: annotations,
history and counters name a label by its id, and so follow by themselves."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, Value, When
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs import counters
from jobs.models import Job, Verb
from labelhub.errors import Conflict, DomainError
from labels.keys import ALLOWED, COMMANDS
from labels.labelset.changes import LabelResult, labels_of, listed, record, tell
from labels.models import COLOURS, Label
from labels.services import checked_name, create_labels

ADD, EDIT, MOVE, ORDER = "add", "edit", "move", "order"
FIELDS = ("name", "colour", "key", "description")
LONGEST_DESCRIPTION = Label._meta.get_field("description").max_length


# Adding ------------------------------------------------------------------------------------------
@transaction.atomic
def add_labels(member: Member, names: Iterable[str]) -> LabelResult:
    """Adds labels at the end of the list, all or none."""
    require(member, Ability.CREATE_LABEL)
    made = create_labels(member.job, names)
    if not made:
        raise DomainError(_("A label needs a name."), code="label_name")
    params = {
        "does": ADD,
        "labels": [label.pk for label in made],
        "names": [label.name for label in made],
    }
    change = record(member, Verb.EDIT_LABELS, params)
    return LabelResult(change, [], {}, message=added_text(params))


def added_text(params: dict[str, Any]) -> str:
    return _("Added %(names)s.") % {"names": listed(params["names"])}


# Name, colour, key, description ------------------------------------------------------------------
@transaction.atomic
def edit_label(member: Member, label_id: int, **fields: Any) -> tuple[Label, LabelResult]:
    """Sets what is given of name, colour, key and description.

    A name that another label has is a Conflict `label_exists` with its id as `label`: those two
    can be merged.
    """
    require(member, Ability.MANAGE_LABELS)
    (label,) = labels_of(member.job, [label_id])
    after = {name: _cleaned(name, fields[name]) for name in FIELDS if name in fields}
    before = {name: getattr(label, name) for name in after}
    after = {name: value for name, value in after.items() if value != before[name]}
    if not after:
        return label, LabelResult(None, [], {}, message=_("Nothing to change."))
    write_fields(label, after)
    params = {
        "does": EDIT,
        "label": label.pk,
        "before": {name: before[name] for name in after},
        "after": after,
        "name": label.name,
    }
    change = record(member, Verb.EDIT_LABELS, params)
    tell(member.job)
    return label, LabelResult(change, [], {}, message=edited_text(params))


def edited_text(params: dict[str, Any]) -> str:
    before, after = params["before"], params["after"]
    if "name" in after:
        return _("Renamed “%(old)s” to “%(new)s”.") % {"old": before["name"], "new": after["name"]}
    return _("Changed “%(name)s”.") % {"name": params["name"]}


def write_fields(label: Label, fields: dict[str, Any]) -> None:
    """Writes the row; what the constraints refuse is told with the label that is in the way."""
    for name, value in fields.items():
        setattr(label, name, value)
    try:
        with transaction.atomic():
            label.save(update_fields=list(fields))
    except IntegrityError:
        raise _in_the_way(label, fields)


def _in_the_way(label: Label, fields: dict[str, Any]) -> Conflict:
    others = label.job.labels.exclude(pk=label.pk)
    if "name" in fields and (other := others.filter(name=fields["name"]).first()):
        text = _("This job has a label “%(name)s” already.") % {"name": other.name}
        return Conflict(text, code="label_exists", label=other.pk)
    other = others.filter(key=fields.get("key")).first()
    text = _("“%(name)s” has the key %(key)s already.")
    values = {"name": other.name if other else "", "key": fields.get("key", "").upper()}
    return Conflict(text % values, code="key_taken", label=other.pk if other else None)


def _cleaned(name: str, value: Any) -> Any:
    match name:
        case "name":
            return checked_name(value)
        case "colour":
            if type(value) is not int or not 1 <= value <= COLOURS:
                raise DomainError(_("A colour is a number from 1 to 24."), code="colour")
            return value
        case "key":
            return _checked_key(value)
    text = " ".join(str(value).split())
    if len(text) > LONGEST_DESCRIPTION:
        raise DomainError(
            _("A description has at most %(most)d characters.") % {"most": LONGEST_DESCRIPTION},
            code="description",
        )
    return text


def _checked_key(raw: str) -> str:
    key = str(raw).strip().lower()
    if key in COMMANDS:
        raise DomainError(
            _("%(key)s %(does)s. Choose another key.")
            % {"key": key.upper(), "does": COMMANDS[key]},
            code="key_reserved",
        )
    if key and key not in ALLOWED:
        raise DomainError(_("A key is one letter from A to Z or a digit."), code="key")
    return key


# Order -------------------------------------------------------------------------------------------
@transaction.atomic
def move_label(member: Member, label_id: int, *, to: int) -> LabelResult:
    """Moves a label to a place in the list, 0 the first, by one statement."""
    require(member, Ability.MANAGE_LABELS)
    (label,) = labels_of(member.job, [label_id])
    ids = _order(member.job)
    before, to = ids.index(label_id), min(max(to, 0), len(ids) - 1)
    if before == to:
        return LabelResult(None, [], {}, message=_("Nothing to change."))
    shift(member.job, label_id, to)
    params = {"does": MOVE, "label": label_id, "name": label.name, "before": before, "after": to}
    change = record(member, Verb.EDIT_LABELS, params)
    tell(member.job)
    return LabelResult(change, [], {}, message=moved_text(params))


def moved_text(params: dict[str, Any]) -> str:
    return _("Moved “%(name)s” to place %(place)d.") % {
        "name": params["name"],
        "place": params["after"] + 1,
    }


def shift(job: Job, label_id: int, to: int) -> None:
    """Those between the old place and the new one make room."""
    rows = list(job.labels.values_list("pk", "position"))
    ids = [pk for pk, _position in rows]
    old, new = rows[ids.index(label_id)][1], rows[min(to, len(rows) - 1)][1]
    if len({position for _pk, position in rows}) < len(rows):
        # Labels that came back from a deletion can share a place with others.
        ids.remove(label_id)
        write_order(job, [*ids[:to], label_id, *ids[to:]])
        return
    step = 1 if new < old else -1
    job.labels.filter(position__range=(min(old, new), max(old, new))).update(
        position=Case(When(pk=label_id, then=Value(new)), default=F("position") + step)
    )


@transaction.atomic
def order_labels(member: Member, ids: list[int]) -> LabelResult:
    """Puts the whole list into this order; 409 when it no longer has exactly these labels."""
    require(member, Ability.MANAGE_LABELS)
    before = _order(member.job)
    if set(before) != set(ids) or len(ids) != len(before):
        raise Conflict(_("The list has changed. Reload the page."), code="order")
    if before == ids:
        return LabelResult(None, [], {}, message=_("Nothing to change."))
    write_order(member.job, ids)
    change = record(member, Verb.EDIT_LABELS, {"does": ORDER, "before": before, "after": ids})
    tell(member.job)
    return LabelResult(change, [], {}, message=_("The labels are in a new order."))


def sort_labels(member: Member, by: str) -> LabelResult:
    """Orders the list by `name` or by `count`, the most frequent first."""
    rows = list(member.job.labels.values_list("pk", "name"))
    if by == "name":
        rows.sort(key=lambda row: (row[1].casefold(), row[1]))
    elif by == "count":
        counts = counters.read(member.job)
        rows.sort(key=lambda row: -counts.get(counters.label_key(row[0]), 0))
    else:
        raise DomainError(_("Labels are sorted by name or by count."), code="order")
    return order_labels(member, [pk for pk, _name in rows])


def _order(job: Job) -> list[int]:
    return list(job.labels.select_for_update(no_key=True).values_list("pk", flat=True))


def write_order(job: Job, ids: list[int]) -> None:
    """One statement for the whole list."""
    table = Label._meta.db_table
    rows = ", ".join(["(%s, %s)"] * len(ids))
    sql = (
        f"UPDATE {table} SET position = places.column2 FROM (VALUES {rows}) AS places "
        f"WHERE {table}.id = places.column1 AND {table}.job_id = %s"
    )
    values = [value for place, pk in enumerate(ids) for value in (pk, place)]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, job.pk])


def reordered(now: list[int], wanted: list[int]) -> list[int]:
    """The order `wanted` as far as those labels are still there; others keep the end."""
    there = set(now)
    known = [pk for pk in wanted if pk in there]
    return known + [pk for pk in now if pk not in set(known)]
