"""Pages of history: of a job, and of one image."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from annotators.access import member_or_404
from annotators.models import Member, User
from annotators.roles import Ability
from jobs.models import PURGED, Sample, Verb
from labelhub.errors import DomainError
from labels import history as changes
from labels.api import message_of
from labels.undo import undo_change


@login_required
@require_GET
def history(request: HttpRequest, job_id: int) -> HttpResponse:
    """Who did what, the newest first."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    place = changes.read_place(request.GET)
    page = changes.read_page(member, place)
    context = {
        "member": member,
        "job": member.job,
        "page": page,
        "place": place,
        "people": _people(member),
        "verbs": Verb.choices,
        "older": place.query(before=page.next) if page.next else "",
        "newest": place.query(),
        "is_working": any(entry.run for entry in page.entries),
    }
    return render(request, "labels/history.html", context)


def _people(member: Member) -> list[User]:
    """Whose changes can be asked for: who may not see the members asks for their own."""
    if not member.can(Ability.SEE_MEMBERS):
        return [member.user]
    members = member.job.members.select_related("user").order_by("pk")
    return [one.user for one in members]


@login_required
@require_POST
def history_undo(request: HttpRequest, job_id: int, change_id: int) -> HttpResponse:
    member = member_or_404(request.user, job_id, Ability.LABEL)
    change = get_object_or_404(member.job.changes, pk=change_id)
    try:
        result = undo_change(member, change)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, message_of(result))
    kept = changes.read_place(request.GET).address
    return redirect(reverse("history", args=[job_id]) + (f"?{kept}" if kept else ""))


@login_required
@require_GET
@vary_on_headers("HX-Request")
def sample_history(request: HttpRequest, job_id: int, sample_id: int) -> HttpResponse:
    """What was done to one image: a list for the viewer, or without scripts a page."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    rows = Sample.everything.filter(job=member.job).exclude(trashed_at=PURGED)
    sample = get_object_or_404(rows, pk=sample_id)
    context = {
        "member": member,
        "job": member.job,
        "sample": sample,
        "name": sample.path.rpartition("/")[2],
        "entries": changes.of_sample(member, sample),
    }
    template = "labels/_sample_history.html" if request.htmx else "labels/sample_history.html"
    return render(request, template, context)
