"""Pages of adding data: the form with its preview, synchronizing, historical records, reports."""

import json
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotators.access import member_or_404
from annotators.models import Member
from annotators.roles import Ability
from datasets import reports, uploads
from datasets.formats.readers import READERS
from datasets.problems import describe
from jobs import records, services
from jobs.folders import look_into, look_into_dataset, look_into_storage
from jobs.models import SampleState
from jobs.pages import read_number
from labelhub.errors import DomainError
from labels.adding.forms import AdditionForm, Source
from labels.additions import Addition, Expected, add_data, look_at

# A form that is shown again with what is wrong in it; htmx swaps this status in (base.html).
UNPROCESSABLE = 422
RECORDS_PER_PAGE = 30
LABELS_SHOWN = 200
_BROWSING = {"browse": "folder", "browse_storage": "prefix", "browse_path": "path"}


# Adding ------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, job_id: int) -> HttpResponse:
    """The buttons `browse…` open a folder, for browsers without scripts. `look` shows what would
    come; `add` adds it if that is what was shown, else it shows first."""
    member = member_or_404(request.user, job_id, Ability.ADD_DATA)
    if request.method == "GET":
        return _shown(request, member, AdditionForm(member=member))
    if _BROWSING.keys() & request.POST.keys():
        return _shown(request, member, AdditionForm(member=member, initial=_browsed(request)))
    form = AdditionForm(request.POST, request.FILES, member=member)
    if not form.is_valid():
        return _shown(request, member, form)
    addition = form.addition(request.POST)
    try:
        if form.cleaned_data["source"] == Source.UPLOAD:
            return _upload(request, member, form, addition)
        return _look_or_add(request, member, form, addition)
    except DomainError as error:
        form.add_error(_field_of(error, form.cleaned_data["source"]), error.message)
        return _shown(request, member, form)


def _browsed(request: HttpRequest) -> dict[str, Any]:
    data = request.POST.dict()
    for button, field in _BROWSING.items():
        if button in data:
            data[field] = data[button]
    return data


def _look_or_add(
    request: HttpRequest, member: Member, form: AdditionForm, addition: Addition
) -> HttpResponse:
    asked = _signature(addition)
    if "add" in request.POST and request.POST.get("seen") == asked:
        return _started(member, _as_shown(addition, request.POST))
    expected = look_at(member, addition)
    context = _expected(addition, expected) | {"seen": asked}
    if "add" in request.POST:
        context["is_other"] = True
    return _shown(request, member, form, context)


def _signature(addition: Addition) -> str:
    """Of what a preview showed: whoever changes the form afterwards sees another one first."""
    names = ("storage", "folder", "path", "state", "format", "files")
    return json.dumps([getattr(addition, name) for name in names])


def _as_shown(addition: Addition, data: QueryDict) -> Addition:
    """With the format and the label files that the preview found. They come back with the form:
    nothing that the API would not take as well."""
    if addition.state == SampleState.UNLABELED:
        return addition
    return replace(
        addition,
        format=addition.format or data.get("found_format", ""),
        files=tuple(data.getlist("found_file")),
        companions=tuple(data.getlist("found_companion")),
    )


def _started(member: Member, addition: Addition) -> HttpResponse:
    run = add_data(member, addition)
    return redirect("run", member.job_id, run.pk)


def _upload(
    request: HttpRequest, member: Member, form: AdditionForm, addition: Addition
) -> HttpResponse:
    """Without scripts: the files come with the form. One that is refused does not stop the rest."""
    files = form.cleaned_data["files"]
    if not files:
        form.add_error("files", _("Choose images or a zip first."))
        return _shown(request, member, form)
    for file in files:
        try:
            uploads.receive(member.job.dataset, file.name, file, size=file.size)
        except DomainError as error:
            messages.error(request, error.message)
    return _started(member, addition)


def _field_of(error: DomainError, source: str) -> str | None:
    """What is refused is mostly where the data comes from."""
    if error.code in ("format", "no-label-file", "state", "label_name"):
        return None if error.code == "label_name" else "format"
    return {Source.OWN: "path", Source.STORAGE: "prefix", Source.FOLDER: "folder"}.get(source)


def _expected(addition: Addition, expected: Expected) -> dict[str, Any]:
    """What the preview shows, in words."""
    others = [one.format for one in expected.detected if one.format != expected.format]
    return {
        "expected": expected,
        "title": READERS[expected.format].title if expected.format else "",
        "why": _why(expected),
        "others": [READERS[name].title for name in dict.fromkeys(others)],
        "bad_lines": [describe(bad.code, bad.words()) for bad in expected.bad_lines],
        "labels": expected.labels[:LABELS_SHOWN],
        "more_labels": len(expected.labels) - LABELS_SHOWN,
        "new": expected.images - expected.already,
        "has_splits": any(row.split for row in expected.rows),
        "lacks_format": addition.state != SampleState.UNLABELED and not expected.format,
    }


def _why(expected: Expected) -> str:
    words = {
        "names-images": _("Its first lines name images that are there."),
        "reads-well": _("Its lines read well; none of the first names an image that was seen."),
        "texts": _("There are texts with the names of images."),
        "folders": _("The images lie in folders that could be labels."),
    }
    fitting = (one for one in expected.detected if one.format == expected.format)
    found = next(fitting, None)
    if found is None:
        return _("You chose it; what is there does not look like it.") if expected.format else ""
    return words.get(found.why, "")


def _shown(
    request: HttpRequest, member: Member, form: AdditionForm, context: dict[str, Any] | None = None
) -> HttpResponse:
    dataset = member.job.dataset
    storage_id, prefix = (form[name].value() or "" for name in ("storage", "prefix"))
    context = (context or {}) | {
        "member": member,
        "job": member.job,
        "dataset": dataset,
        "form": form,
        "own": look_into_dataset(dataset, form["path"].value() or ""),
        "sources": form.sources,
    }
    if Source.FOLDER in form.sources:
        context["folder"] = look_into(form["folder"].value() or "")
    if Source.STORAGE in form.sources:
        context["storages"] = form.fields["storage"].queryset
        context["looked"] = look_into_storage(request.user, storage_id, prefix)
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "labels/add_data.html", context, status=status)


@login_required
@require_GET
def job_folders(request: HttpRequest, job_id: int) -> HttpResponse:
    """The field for a folder of the job's dataset, with what is inside the one that it names."""
    member = member_or_404(request.user, job_id, Ability.ADD_DATA)
    own = look_into_dataset(member.job.dataset, request.GET.get("path", ""))
    return render(request, "labels/_job_folders.html", {"job": member.job, "own": own})


@login_required
@require_POST
def synchronize(request: HttpRequest, job_id: int) -> HttpResponse:
    member = member_or_404(request.user, job_id, Ability.ADD_DATA)
    services.synchronize(member.job.dataset, job=member.job, by=request.user)
    return redirect("job", job_id)


# Records -----------------------------------------------------------------------------------------
@login_required
@require_GET
def import_list(request: HttpRequest, job_id: int) -> HttpResponse:
    """Every import and synchronization, the newest first."""
    member = member_or_404(request.user, job_id, Ability.ADD_DATA)
    before = read_number(request.GET.get("before"))
    found, following = records.page(records.of_job(member.job), before, RECORDS_PER_PAGE)
    context = {"member": member, "job": member.job, "records": found, "next": following}
    return render(request, "labels/import_list.html", context)


@login_required
@require_GET
def run_report(request: HttpRequest, job_id: int, run_id: int) -> HttpResponse:
    member = member_or_404(request.user, job_id, Ability.VIEW)
    run = get_object_or_404(member.job.shown_runs(), pk=run_id)
    return reports.response(run, member.job.name)
