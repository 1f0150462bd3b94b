"""Pages about a selection, of deleting (the question, and the trash), and of history."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from annotators.access import member_or_404
from annotators.models import Member, User
from annotators.roles import Ability
from datasets.thumbnails import Size, content_key
from jobs import counters, deletions, selection
from jobs.models import PURGED, Job, Sample, Verb
from jobs.pages import read_number
from labelhub.errors import DomainError
from labels import history as changes
from labels.api import message_of
from labels.summary import summarize
from labels.trash import restore, restore_all
from labels.undo import undo_change

ROWS_PER_PAGE = 50


# The selection -----------------------------------------------------------------------------------
@login_required
@require_POST
def selected(request: HttpRequest, job_id: int) -> HttpResponse:
    """The labels of what is selected, with their numbers. A selection is too long for an address:
    it comes as JSON, and nothing is written."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    found = _looked(request, partial(summarize, member.job))
    if isinstance(found, HttpResponse):
        return found
    context = {"found": found, "can_label": member.can(Ability.LABEL)}
    return render(request, "labels/_selected.html", context)


def _looked(request: HttpRequest, look: Callable[[selection.Selection], Any]) -> Any:
    """What `look` finds of the selection in the body, or the refusal."""
    try:
        return look(selection.parse(json.loads(request.body)))
    except ValueError:
        return HttpResponseBadRequest()
    except DomainError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")


# The question ------------------------------------------------------------------------------------
@login_required
@require_http_methods(["POST"])
def deletion(request: HttpRequest, job_id: int) -> HttpResponse:
    """The question whether to delete what is selected, with what stands behind it."""
    member = member_or_404(request.user, job_id, Ability.DELETE_IMAGES)
    preview = _looked(request, partial(deletions.preview, member))
    if isinstance(preview, HttpResponse):
        return preview
    context = {
        "member": member,
        "job": member.job,
        "preview": preview,
        "obstacle": deletions.obstacle(member),
        "location": _location(member.job),
        "days": settings.TRASH_DAYS,
    }
    return render(request, "labels/_deletion.html", context)


def _location(job: Job) -> str:
    """Where the files are, for people; the folder of uploads is nobody's concern."""
    storage = job.dataset.storage
    return "" if storage.is_upload_area else storage.location


# The trash ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the trash starts: behind this sample, which was deleted then."""

    at: datetime
    pk: int

    @classmethod
    def read(cls, raw: str) -> "Place | None":
        micros, _dash, pk = raw.partition("-")
        numbers = read_number(micros), read_number(pk)
        if None in numbers:
            return None
        try:
            return cls(_EPOCH + timedelta(microseconds=numbers[0]), numbers[1])
        except OverflowError:
            return None

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.pk}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """One image in the trash."""

    pk: int
    folder: str
    name: str
    thumbnail: str
    by: User | None
    at: datetime
    days_left: int


@login_required
@require_http_methods(["GET", "POST"])
def trash(request: HttpRequest, job_id: int) -> HttpResponse:
    """What can be restored, newest first; a POST restores what is ticked, or all."""
    member = member_or_404(request.user, job_id, Ability.DELETE_IMAGES)
    if request.method == "POST":
        _restore(request, member)
        return redirect("trash", job_id)
    found = Sample.everything.filter(job=member.job).restorable().order_by("-trashed_at", "-pk")
    place = Place.read(request.GET.get("after", ""))
    if place is not None:
        found = found.filter(Q(trashed_at__lt=place.at) | Q(trashed_at=place.at, pk__lt=place.pk))
    related = found.select_related("image", "last_change__actor")
    samples = list(related[: ROWS_PER_PAGE + 1])
    shown = samples[:ROWS_PER_PAGE]
    last = shown[-1] if len(samples) > ROWS_PER_PAGE else None
    context = {
        "member": member,
        "job": member.job,
        "rows": _rows(member.job, shown),
        "total": counters.read(member.job).get(counters.TRASH, 0),
        "is_first": place is None,
        "next": str(Place(last.trashed_at, last.pk)) if last else "",
        "days": settings.TRASH_DAYS,
    }
    return render(request, "labels/trash.html", context)


def _restore(request: HttpRequest, member: Member) -> None:
    try:
        if request.POST.get("restore") == "all":
            result = restore_all(member)
        else:
            ids = [read_number(raw) for raw in request.POST.getlist("sample")]
            result = restore(member, selection.parse({"ids": [pk for pk in ids if pk]}))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        say = messages.success if result.change else messages.info
        say(request, message_of(result))


def _rows(job: Job, samples: Iterable[Sample]) -> list[Row]:
    now, kept = timezone.now(), timedelta(days=settings.TRASH_DAYS)

    def row(sample: Sample) -> Row:
        key = content_key(sample.image)
        left = (sample.trashed_at + kept - now) / timedelta(days=1)
        folder, slash, name = sample.path.rpartition("/")
        return Row(
            pk=sample.pk,
            folder=folder + slash,
            name=name,
            thumbnail=reverse("thumbnail", args=[job.pk, sample.pk, Size.TILE.value, key]),
            by=sample.last_change.actor if sample.last_change else None,
            at=sample.trashed_at,
            days_left=max(1, ceil(left)),
        )

    return [row(sample) for sample in samples]


# History -----------------------------------------------------------------------------------------
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
