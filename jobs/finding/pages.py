"""The panel with all filters, and the views of a job that people saved."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from annotators.access import member_or_404
from annotators.models import Member
from annotators.roles import Ability
from jobs import counters, pages
from jobs.filter_chips import SPLIT_NAMES, active_filters, problem_name, without
from jobs.finding import panel, saved
from jobs.models import SavedView
from labelhub.errors import DomainError

UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class ShownView:
    """`problem`: why it does not find what it was made for."""

    view: SavedView
    is_current: bool
    may_change: bool
    problem: str

    @property
    def is_shared(self) -> bool:
        return self.view.user_id is None


@login_required
@require_GET
@vary_on_headers("HX-Request")
def filters(request: HttpRequest, job_id: int) -> HttpResponse:
    """All filters: the panel beside the grid, or without scripts a page."""
    member = member_or_404(request.user, job_id)
    return _shown(request, member, _place(request, request.GET))


def _place(request: HttpRequest, query: QueryDict) -> pages.Place:
    return pages.read_place(query, size=pages.kept_size(request.COOKIES))


def _shown(request: HttpRequest, member: Member, place: pages.Place, **more: Any) -> HttpResponse:
    counts = counters.read(member.job)
    context = panel.panel_of(member, place, counts, search="", is_whole=not request.htmx) | _views(
        member, place
    )
    active = active_filters(member.job, place, context["labels"], counts)
    context |= {
        "member": member,
        "job": member.job,
        "place": place,
        "active": active,
        "everywhere": without(place, "path"),
        "wrong": {problem.name: problem.reason for problem in active.problems},
        "splits": SPLIT_NAMES.items(),
        "problems": [(code, problem_name(code)) for code in context["problem_codes"]],
    }
    template = "jobs/_filters.html" if request.htmx else "jobs/filters.html"
    return render(request, template, context | more)


@login_required
@require_GET
def filter_labels(request: HttpRequest, job_id: int) -> HttpResponse:
    """The labels of the panel with a text in their names, below those that are chosen."""
    member = member_or_404(request.user, job_id)
    search = request.GET.get("find", "").strip()
    labels, more = panel.label_choices(
        member, request.GET, counters.read(member.job), search=search, most=panel.LABELS_SHOWN
    )
    context = {"labels": labels, "more_labels": more, "label_search": search}
    return render(request, "jobs/_filter_labels.html", context)


# Views -------------------------------------------------------------------------------------------
@login_required
@require_POST
def views(request: HttpRequest, job_id: int) -> HttpResponse:
    """Saves the filters and the order of the form under a name."""
    member = member_or_404(request.user, job_id)
    given = request.POST
    try:
        saved.save_view(
            member,
            name=given.get("name", ""),
            query=given.get("query", ""),
            is_shared="shared" in given,
        )
    except DomainError as error:
        return _answer(request, member, error=error, typed=given.get("name", ""))
    return _answer(request, member)


@login_required
@require_POST
def view(request: HttpRequest, job_id: int, view_id: int) -> HttpResponse:
    """Changes a view: `name`, `shared` or `query` sets that, `delete` takes the view away."""
    member = member_or_404(request.user, job_id)
    given = request.POST
    try:
        if "delete" in given:
            return _answer(request, member, deleted=saved.delete_view(member, view_id))
        fields: dict[str, Any] = {name: given[name] for name in ("name", "query") if name in given}
        if "shared" in given:
            fields["is_shared"] = given["shared"] == "1"
        saved.change_view(member, view_id, **fields)
    except DomainError as error:
        return _answer(request, member, error=error, opened=view_id)
    return _answer(request, member)


def _answer(request: HttpRequest, member: Member, **more: Any) -> HttpResponse:
    """The list of views as it is now; without scripts the page that the form came from."""
    place = _place(request, QueryDict(request.POST.get("here", "")))
    error = more.get("error")
    if not request.htmx:
        if error:
            messages.error(request, error.message)
        return redirect(f"{reverse('filters', args=[member.job_id])}?{place.query()}")
    context = _views(member, place) | {"member": member, "job": member.job, "place": place} | more
    status = UNPROCESSABLE if error else 200
    return render(request, "jobs/_saved_views.html", context, status=status)


def _views(member: Member, place: pages.Place) -> dict[str, Any]:
    found = list(saved.views_for(member))
    here = saved.kept_query(QueryDict(place.query()))
    problems = problems_of(member, found)
    may_share = member.can(Ability.EDIT_JOB)
    return {
        "saved": [
            ShownView(
                one,
                one.query == here,
                one.user_id is not None or may_share,
                problems.get(one.pk, ""),
            )
            for one in found
        ],
        "may_share": may_share,
        "is_saved": any(one.query == here for one in found),
        "is_nothing": not here,
        "here": here,
    }


def problems_of(member: Member, views: list[SavedView]) -> dict[int, str]:
    """Why views do not find what they were made for, by their ids: a label was deleted, say. The
    labels of all of them are read at once."""
    named = {pk for one in views for pk in _label_ids(one)}
    labels = list(member.job.labels.filter(pk__in=named)) if named else []
    there = {label.pk for label in labels}
    found = {}
    for one in views:
        # Only those are looked into of which a label is gone: each look is a statement.
        if _label_ids(one) - there:
            place = pages.read_place(QueryDict(one.query))
            problems = active_filters(member.job, place, labels, {}).problems
            found[one.pk] = problems[0].reason
    return found


def _label_ids(view: SavedView) -> set[int]:
    parts = QueryDict(view.query).get("label", "").split(",")
    return {int(part.lstrip("-")) for part in parts if part.lstrip("-").isdecimal()}
