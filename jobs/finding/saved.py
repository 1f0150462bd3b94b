"""Views: filters and an order under a name, of one person or of everybody in a job.

Labels stand in them by their ids, so that a renamed label stays in them; times such as `7d` go on
meaning the last seven days.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs.filters import FILTERS, canonical, encoded, read_filter
from jobs.models import SavedView
from jobs.sorting import ADDED, SORTS
from labelhub.errors import Conflict, DomainError

LONGEST_NAME = 100
LONGEST_QUERY = 2000
# Of one person in a job, and shared ones in a job.
MOST_VIEWS = 100
# Where in the list somebody is belongs to no view.
_LEFT_OUT = {"size", "cursor"}


def views_for(member: Member) -> QuerySet[SavedView]:
    """Those that the member sees: the own ones and the shared ones, by name."""
    seen = member.job.views.filter(Q(user=None) | Q(user_id=member.user_id))
    return seen.order_by("user_id", "name", "pk")


def view_or_404(member: Member, view_id: int) -> SavedView:
    """One that the member may change: a view of somebody else is not there."""
    view = views_for(member).filter(pk=view_id).first()
    if view is None:
        raise Http404
    if view.user_id is None:
        require(member, Ability.EDIT_JOB)
    return view


def save_view(member: Member, *, name: str, query: str, is_shared: bool = False) -> SavedView:
    """A new view. One of everybody needs a role that changes the job."""
    require(member, Ability.EDIT_JOB if is_shared else Ability.VIEW)
    view = SavedView(job=member.job, user=None if is_shared else member.user)
    view.name, view.query = _checked_name(name), checked_query(member, query)
    _check_number(view)
    _write(view)
    return view


def change_view(member: Member, view_id: int, **fields: Any) -> SavedView:
    """Sets what is given of `name`, `query` and `is_shared`. A shared view that is no longer so is
    of the one who says it."""
    view = view_or_404(member, view_id)
    if "name" in fields:
        view.name = _checked_name(fields["name"])
    if "query" in fields:
        view.query = checked_query(member, fields["query"])
    if "is_shared" in fields and fields["is_shared"] != (view.user_id is None):
        require(member, Ability.EDIT_JOB)
        view.user = None if fields["is_shared"] else member.user
        _check_number(view)
    _write(view)
    return view


def delete_view(member: Member, view_id: int) -> SavedView:
    """Returns what was deleted: `save_view` makes it again."""
    view = view_or_404(member, view_id)
    SavedView.objects.filter(pk=view.pk).delete()
    return view


def checked_query(member: Member, query: str) -> str:
    """The query string as it is kept; what makes no sense is refused with its name and why."""
    given = QueryDict(query.removeprefix("?"))
    for name in given:
        if name not in (*FILTERS, "sort", *_LEFT_OUT):
            raise _refused(name, _("There is no such filter."))
    if given.get("sort") and given["sort"] not in SORTS:
        raise _refused("sort", _("One of %(names)s.") % {"names": ", ".join(SORTS)})
    for name, errors in read_filter(member.job, given).form.errors.items():
        raise _refused(name, errors[0])
    kept = kept_query(given)
    if not kept:
        raise DomainError(_("Set a filter or an order first, then save it."), code="query")
    if len(kept) > LONGEST_QUERY:
        raise DomainError(
            _("These filters are too long to be saved: at most %(most)d characters.")
            % {"most": LONGEST_QUERY},
            code="query",
        )
    return kept


def kept_query(query: QueryDict) -> str:
    """The filters and the order alone, as a view keeps them; nothing where there are none."""
    kept = QueryDict(canonical(query), mutable=True)
    sort = SORTS.get(query.get("sort", ""), ADDED)
    if sort is not ADDED:
        kept["sort"] = sort.name
    return encoded(kept)


def _refused(name: str, reason: str) -> DomainError:
    return DomainError(f"{name}: {reason}", code="query", filter=name)


def _checked_name(raw: str) -> str:
    name = " ".join(str(raw).replace("\0", "").split())
    if not name:
        raise DomainError(_("A view needs a name."), code="view_name")
    if len(name) > LONGEST_NAME:
        raise DomainError(
            _("The name of a view has at most %(most)d characters.") % {"most": LONGEST_NAME},
            code="view_name",
        )
    return name


def _check_number(view: SavedView) -> None:
    there = SavedView.objects.filter(job=view.job, user=view.user).exclude(pk=view.pk)
    if there.count() >= MOST_VIEWS:
        text = ngettext(
            "There is room for %(most)d view. Delete one first.",
            "There is room for %(most)d views. Delete one first.",
            MOST_VIEWS,
        )
        raise DomainError(text % {"most": MOST_VIEWS}, code="too_many")


def _write(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        text = _("There is a view “%(name)s” already. Choose another name.")
        raise Conflict(text % {"name": view.name}, code="view_exists")
