"""Pages of jobs: the list, a new one, export, runs. Those one labels on: jobs/surfaces.py."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from annotators.access import member_or_404
from annotators.roles import Ability
from datasets import problems, uploads
from jobs import counters, exports, pages, records, services
from jobs.filter_chips import active_filters, filter_words
from jobs.filters import canonical
from jobs.folders import look_into, look_into_storage
from jobs.forms import (
    ExportForm,
    JobForm,
    Source,
    typed_labels,
    with_suggestions,
)
from jobs.models import Job
from labelhub.errors import DomainError
from labels.services import create_job_with_labels
from runs.models import RunKind, RunState

# A form that is shown again with what is wrong in it; htmx swaps this status in (base.html).
UNPROCESSABLE = 422
MOST_EXPORTS = 50
PROBLEMS_PER_PAGE = 200
RUN_COMMANDS = ("cancel", "retry")


def _status_of(form: BaseForm) -> int:
    return UNPROCESSABLE if form.errors else 200


# Jobs --------------------------------------------------------------------------------------------
@login_required
@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    memberships = request.user.memberships.select_related("job").order_by("-job_id")
    counts = counters.read_many(member.job for member in memberships)
    rows = [counters.progress(counts[member.job_id]) | {"member": member} for member in memberships]
    return render(request, "jobs/job_list.html", {"rows": rows})


@login_required
@require_http_methods(["GET", "POST"])
def job_new(request: HttpRequest) -> HttpResponse:
    """The buttons `browse`, `browse_storage` and `fix` change a field of the form, for browsers
    without scripts."""
    _require_can_create(request)
    if request.method == "GET":
        return _job_new(request, JobForm(user=request.user, initial=_chosen(request)))
    if {"browse", "browse_storage", "fix"} & request.POST.keys():
        return _job_new(request, JobForm(user=request.user, initial=_browsed(request)))
    form = JobForm(request.POST, request.FILES, user=request.user)
    if form.is_valid():
        try:
            made = create_job_with_labels(**form.new_job(), by=request.user)
        except DomainError as error:
            form.refuse(error)
        else:
            return _created(request, made, form)
    return _job_new(request, form)


def _chosen(request: HttpRequest) -> dict[str, str]:
    """A link from a storage chooses it."""
    storage_id = request.GET.get("storage", "")
    return {"source": Source.STORAGE, "storage": storage_id} if storage_id.isdigit() else {}


def _browsed(request: HttpRequest) -> dict[str, Any]:
    data = request.POST.copy()
    data["folder"] = data.get("browse", data.get("folder", ""))
    data["prefix"] = data.get("browse_storage", data.get("prefix", ""))
    if "fix" in data:
        data["labels"] = with_suggestions(data.get("labels", ""))
    return data.dict()


def _require_can_create(request: HttpRequest) -> None:
    if not request.user.can_create_jobs:
        raise PermissionDenied(_("You may not create jobs. Ask the administrator."))


def _created(request: HttpRequest, made: Job, form: JobForm) -> HttpResponse:
    """To the new job. A script sends the files itself, and is told where to."""
    is_upload = form.cleaned_data["source"] == Source.UPLOAD
    if request.htmx and is_upload:
        addresses = {
            "uploads": reverse("api_uploads", args=[made.pk]),
            "imports": reverse("api_synchronize", args=[made.pk]),
            "after": reverse("job", args=[made.pk]),
        }
        return trigger_client_event(HttpResponse(status=204), "job:created", addresses)
    if request.htmx:
        return HttpResponseClientRedirect(reverse("job", args=[made.pk]))
    if is_upload:
        _take_in(request, made, form.cleaned_data["files"])
    return redirect("job", made.pk)


def _job_new(request: HttpRequest, form: JobForm) -> HttpResponse:
    folder = look_into(form["folder"].value() or "")
    looked = look_into_storage(
        request.user, form["storage"].value() or "", form["prefix"].value() or ""
    )
    context = {"form": form, "folder": folder, "looked": looked, "storages": form.storages}
    context |= _typed(form["labels"].value() or "")
    return render(request, "jobs/job_new.html", context, status=_status_of(form))


def _take_in(request: HttpRequest, job: Job, files: list[UploadedFile]) -> None:
    """Keeps the files of a form and starts the import; one that is refused does not stop it."""
    for file in files:
        try:
            uploads.receive(job.dataset, file.name, file, size=file.size)
        except DomainError as error:
            messages.error(request, error.message)
    if files:
        services.synchronize(job.dataset, job=job, by=request.user)


@login_required
@require_GET
def folders(request: HttpRequest) -> HttpResponse:
    """The field for a folder of the server, with what is inside the one that it names."""
    _require_can_create(request)
    folder = look_into(request.GET.get("path", request.GET.get("folder", "")))
    return render(request, "jobs/_folders.html", {"folder": folder})


@login_required
@require_GET
def storage_folders(request: HttpRequest) -> HttpResponse:
    """The field for a storage and a folder in it, with what is inside that one."""
    _require_can_create(request)
    form = JobForm(user=request.user)
    prefix = request.GET.get("path", request.GET.get("prefix", ""))
    looked = look_into_storage(request.user, request.GET.get("storage", ""), prefix)
    context = {"form": form, "looked": looked, "storages": form.storages}
    return render(request, "jobs/_storage_folders.html", context)


@login_required
@require_http_methods(["POST"])
def label_preview(request: HttpRequest) -> HttpResponse:
    """How typed labels will look; with `fix`, the field with names that may be labels."""
    _require_can_create(request)
    text = request.POST.get("labels", "")
    if "fix" not in request.POST:
        return render(request, "jobs/_label_preview.html", _typed(text))
    text = with_suggestions(text)
    form = JobForm(user=request.user, initial={"labels": text})
    context = {"form": form} | _typed(text)
    return render(request, "jobs/_labels_field.html", context)


def _typed(text: str) -> dict[str, Any]:
    typed = typed_labels(text)
    return {"typed": typed, "is_refused": any(one.suggestion for one in typed)}


# Export, runs -------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def export(request: HttpRequest, job_id: int) -> HttpResponse:
    member = member_or_404(request.user, job_id, Ability.EXPORT)
    form = ExportForm(request.POST) if request.method == "POST" else ExportForm()
    place = pages.Place(canonical(request.GET))
    if form.is_bound and form.is_valid():
        options = form.options() | {"query": place.filters}
        try:
            services.start_export(member.job, by=request.user, options=options)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect(_export_address(job_id, place))
    context = counters.progress(counters.read(member.job)) | _past_exports(member.job)
    context |= _to_export(member.job, place) | {"member": member, "job": member.job, "form": form}
    return render(request, "jobs/export.html", context, status=_status_of(form))


def _export_address(job_id: int, place: pages.Place) -> str:
    address = reverse("export", args=[job_id])
    return f"{address}?{place.filters}" if place.filters else address


def _to_export(job: Job, place: pages.Place) -> dict[str, Any]:
    """What the filters of the address would write: how many, and which filters those are."""
    if not place.filters:
        return {}
    found: dict[str, Any] = {"query": place.filters, "chosen": 0}
    try:
        found["chosen"] = exports.labeled(job, place.filters).count()
    except DomainError as error:
        found["filter_problem"] = error.message
    labels = list(job.labels.all())
    return found | {
        "chips": active_filters(job, place, labels, {}).chips,
        "words": filter_words(job, place.filters, labels),
    }


def _past_exports(job: Job) -> dict[str, Any]:
    rows = job.runs.filter(kind=RunKind.EXPORT).select_related("created_by")
    runs = list(rows.order_by("-id")[:MOST_EXPORTS])
    labels = list(job.labels.all()) if any("query" in run.params for run in runs) else []
    for run in runs:
        run.words = filter_words(job, run.params.get("query", ""), labels)
    return {"exports": runs, "is_working": any(not run.is_over for run in runs)}


@login_required
@require_http_methods(["GET", "POST"])
def run(request: HttpRequest, job_id: int, run_id: int) -> HttpResponse:
    """What a run did and could not do; a POST cancels it or takes it up again."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    found = get_object_or_404(member.job.shown_runs().select_related("created_by"), pk=run_id)
    if request.method == "POST":
        command = request.POST.get("command", "")
        if command not in RUN_COMMANDS:
            return HttpResponseBadRequest()
        try:
            services.control_run(member, found, command)
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("run", job_id, run_id)
    after = pages.read_number(request.GET.get("after")) or 0
    shown = list(found.problems.filter(pk__gt=after).order_by("pk")[: PROBLEMS_PER_PAGE + 1])
    listed = shown[:PROBLEMS_PER_PAGE]
    context = {
        "member": member,
        "job": member.job,
        "run": found,
        "counts": records.counts_of(found),
        "problems": [(one.item, problems.describe(one.code, one.params)) for one in listed],
        "next_problem": listed[-1].pk if len(shown) > PROBLEMS_PER_PAGE else None,
        "may_control": member.can(services.ability_for(found)),
        "may_retry": found.state in (RunState.FAILED, RunState.CANCELLED),
    }
    return render(request, "jobs/run.html", context)
