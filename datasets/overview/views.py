"""Pages of datasets: the list, one with what is wrong in it, its synchronizations."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from annotators.models import Member, User
from annotators.roles import Ability
from datasets import problems, reports, services
from datasets.access import dataset_or_404, datasets_of, storages_of
from datasets.models import Dataset
from datasets.overview.forms import DatasetForm, ScheduleForm
from datasets.overview.problems import MISSING, REFUSED, groups, message_of, with_problem
from datasets.summaries import EMPTY
from jobs import records, schedules
from jobs.pages import read_number
from jobs.services import steer, synchronize
from labelhub.errors import DomainError
from labels.missing import Settled, settle_missing
from runs.models import Run, RunState

UNPROCESSABLE = 422
RECORDS_SHOWN, RECORDS_PER_PAGE = 5, 30
IMAGES_PER_PAGE = 100
MISSING_SHOWN = 5
PROBLEMS_PER_PAGE = 200
RUN_COMMANDS = ("cancel", "retry")
WORKING = (RunState.QUEUED, RunState.RUNNING)


@login_required
@require_GET
def dataset_list(request: HttpRequest) -> HttpResponse:
    rows = datasets_of(request.user).annotate(job_count=Count("jobs", distinct=True))
    shown = [{"dataset": one, "summary": _summary(one)} for one in rows.order_by("name", "pk")]
    return render(request, "datasets/dataset_list.html", {"rows": shown})


def _summary(dataset: Dataset) -> dict[str, Any]:
    return EMPTY | {"formats": {}} | dataset.summary


# One dataset -------------------------------------------------------------------------------------
@login_required
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
def dataset(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """One dataset; a POST changes its name and whether texts are labels. While it is synchronized
    a script asks for how far that is."""
    found = dataset_or_404(request.user, dataset_id)
    if request.method == "GET" and request.htmx:
        run = _working(found)
        if run is None:
            return HttpResponseClientRefresh()
        return render(request, "datasets/_synchronizing.html", {"dataset": found, "run": run})
    form = DatasetForm(request.POST or None, instance=found)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        services.change_dataset(found, name=given["name"], reads_labels=given["reads_labels"])
        messages.success(request, _("The dataset was saved."))
        return redirect("dataset", dataset_id)
    if form.errors:
        found.refresh_from_db()
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "datasets/dataset.html", _shown(request, found, form), status=status)


def _shown(request: HttpRequest, found: Dataset, form: DatasetForm) -> dict[str, Any]:
    # First: should a run end in between, the page asks again. The other way round it would show
    # what was before, and not ask.
    run = _working(found)
    found.refresh_from_db(fields=["summary", "next_sync_at"])
    summary = _summary(found)
    missing = with_problem(found, MISSING).filter(is_settled=False).order_by("pk")
    shown, older = records.page(records.of_dataset(found, request.user), None, RECORDS_SHOWN)
    own, others = _jobs(found, request.user)
    return {
        "dataset": found,
        "summary": summary,
        "formats": _formats(summary),
        "average": summary["bytes"] // summary["images"] if summary["images"] else 0,
        "form": form,
        "schedule_form": ScheduleForm(dataset=found),
        "run": run,
        "groups": groups(found) if summary["images"] or summary["refused"] else [],
        "missing": missing[:MISSING_SHOWN],
        "missing_count": missing.count() if summary["missing"] else 0,
        "may_remove": any(member.can(Ability.DELETE_IMAGES) for member in own),
        "own": own,
        "others": others,
        "records": shown,
        "has_older": older is not None,
        "sees_storage": storages_of(request.user).filter(pk=found.storage_id).exists(),
    }


def _working(found: Dataset) -> Run | None:
    """The oldest run that looks through it now, or will."""
    runs = found.runs.filter(kind__in=records.OF_A_DATASET, state__in=WORKING)
    return runs.order_by("pk").first()


def _formats(summary: dict[str, Any]) -> list[tuple[str, int, float]]:
    """Format, images and share in percent, the most frequent first."""
    total = sum(summary["formats"].values())
    formats = sorted(summary["formats"].items(), key=lambda one: -one[1])
    return [(name or _("Not known yet"), n, 100 * n / total) for name, n in formats]


def _jobs(found: Dataset, user: User) -> tuple[list[Member], int]:
    """Memberships in jobs over the dataset, and how many other jobs there are."""
    rows = Member.objects.filter(user=user, job__dataset=found).select_related("job")
    own = list(rows.order_by("job__name", "job_id"))
    return own, found.jobs.count() - len(own)


@login_required
@require_POST
def dataset_synchronize(request: HttpRequest, dataset_id: int) -> HttpResponse:
    synchronize(dataset_or_404(request.user, dataset_id), by=request.user)
    return redirect("dataset", dataset_id)


@login_required
@require_POST
def dataset_schedule(request: HttpRequest, dataset_id: int) -> HttpResponse:
    found = dataset_or_404(request.user, dataset_id)
    form = ScheduleForm(request.POST, dataset=found)
    if not form.is_valid():
        return HttpResponseBadRequest()
    schedules.schedule(found, form.cleaned_data["minutes"] or None)
    messages.success(request, _("The schedule was saved."))
    return redirect("dataset", dataset_id)


# Images with something wrong ---------------------------------------------------------------------
@login_required
@require_GET
def dataset_images(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Images that are missing (and not decided about), refused, or have one problem."""
    found = dataset_or_404(request.user, dataset_id)
    problem = request.GET.get("problem", REFUSED)
    rows = with_problem(found, problem)
    if problem == MISSING:
        rows = rows.filter(is_settled=False)
    after = read_number(request.GET.get("after")) or 0
    listed = list(rows.filter(pk__gt=after).order_by("pk")[: IMAGES_PER_PAGE + 1])
    page = listed[:IMAGES_PER_PAGE]
    own, _others = _jobs(found, request.user)
    context = {
        "dataset": found,
        "problem": problem,
        "is_missing": problem == MISSING,
        "title": _title(problem),
        "rows": [(image, message_of(image)) for image in page],
        "next": page[-1].pk if len(listed) > IMAGES_PER_PAGE else None,
        "may_remove": any(member.can(Ability.DELETE_IMAGES) for member in own),
    }
    return render(request, "datasets/dataset_images.html", context)


def _title(problem: str) -> str:
    if problem == MISSING:
        return _("Missing files")
    if problem == REFUSED:
        return _("Files that were not taken")
    return _("Images to look at")


@login_required
@require_POST
def dataset_missing(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The buttons `keep` and `remove`, for the ticked images or, with the value `all`, for all."""
    found = dataset_or_404(request.user, dataset_id)
    action = next((name for name in ("keep", "remove") if name in request.POST), "")
    ids = [read_number(raw) for raw in request.POST.getlist("image")]
    if not action or None in ids:
        return HttpResponseBadRequest()
    is_all = request.POST[action] == "all"
    try:
        settled = settle_missing(
            found,
            by=request.user,
            keep=action == "keep",
            ids=[] if is_all else ids,
            everything=is_all,
        )
    except DomainError:
        messages.warning(request, _("Tick the images first."))
    except PermissionDenied as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _told(settled, keep=action == "keep"))
    here = reverse("dataset", args=[dataset_id])
    left = with_problem(found, MISSING).filter(is_settled=False)
    if "list" in request.POST and left.exists():
        here = f"{reverse('dataset_images', args=[dataset_id])}?problem={MISSING}"
    return redirect(here)


def _told(settled: Settled, *, keep: bool) -> str:
    if keep:
        text = ngettext("%(n)d image is kept.", "%(n)d images are kept.", settled.images)
        return text % {"n": settled.images}
    text = ngettext(
        "%(n)d image went to the trash of its job. Undo brings it back.",
        "%(n)d images went to the trash of their jobs. Undo brings them back.",
        settled.removed,
    ) % {"n": settled.removed}
    if settled.left:
        more = ngettext(
            "%(n)s more waits: remove it too.", "%(n)s more wait: remove them too.", settled.left
        )
        text = f"{text} {more % {'n': intcomma(settled.left)}}"
    if not settled.others:
        return text
    left = ngettext(
        "%(n)d job in which you delete nothing keeps them.",
        "%(n)d jobs in which you delete nothing keep them.",
        settled.others,
    ) % {"n": settled.others}
    return f"{text} {left}"


# Runs --------------------------------------------------------------------------------------------
@login_required
@require_GET
def dataset_runs(request: HttpRequest, dataset_id: int) -> HttpResponse:
    found = dataset_or_404(request.user, dataset_id)
    before = read_number(request.GET.get("before"))
    runs = records.of_dataset(found, request.user)
    shown, following = records.page(runs, before, RECORDS_PER_PAGE)
    context = {"dataset": found, "records": shown, "next": following}
    return render(request, "datasets/dataset_runs.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def dataset_run(request: HttpRequest, dataset_id: int, run_id: int) -> HttpResponse:
    """What a synchronization did and found; a POST cancels it or takes it up again."""
    found = dataset_or_404(request.user, dataset_id)
    run = _run_or_404(found, run_id)
    if request.method == "POST":
        command = request.POST.get("command", "")
        if command not in RUN_COMMANDS:
            return HttpResponseBadRequest()
        try:
            steer(run, command)
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("dataset_run", dataset_id, run_id)
    after = read_number(request.GET.get("after")) or 0
    listed = list(run.problems.filter(pk__gt=after).order_by("pk")[: PROBLEMS_PER_PAGE + 1])
    page = listed[:PROBLEMS_PER_PAGE]
    context = {
        "dataset": found,
        "run": run,
        "here": reverse("dataset_run", args=[dataset_id, run_id]),
        "report_url": reverse("dataset_run_report", args=[dataset_id, run_id]),
        "counts": records.counts_of(run),
        "problems": [(one.item, problems.describe(one.code, one.params)) for one in page],
        "next_problem": page[-1].pk if len(listed) > PROBLEMS_PER_PAGE else None,
        "may_control": True,
        "may_retry": run.state in (RunState.FAILED, RunState.CANCELLED),
    }
    return render(request, "datasets/dataset_run.html", context)


def _run_or_404(found: Dataset, run_id: int) -> Run:
    rows = found.runs.filter(kind__in=records.OF_A_DATASET).select_related("created_by")
    return get_object_or_404(rows, pk=run_id)


@login_required
@require_GET
def dataset_run_report(request: HttpRequest, dataset_id: int, run_id: int) -> HttpResponse:
    found = dataset_or_404(request.user, dataset_id)
    return reports.response(_run_or_404(found, run_id), found.name)
