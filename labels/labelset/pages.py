"""Pages of the label set: the list with all that is done to it, and the questions before."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import reswap, retarget, trigger_client_event

from annotators.access import member_or_404
from annotators.models import Member
from annotators.roles import Ability
from jobs.forms import MOST_LABELS, typed_labels, with_suggestions
from jobs.pages import read_number
from labelhub.errors import DomainError
from labels.annotate import Result
from labels.keys import FREE
from labels.labelset import deletion, edits, merging, undoing
from labels.labelset.changes import LabelResult, running
from labels.labelset.deletion import Policy
from labels.labelset.listing import matches, read_listing
from labels.models import COLOURS, Label
from labels.names import clean_label_name

UNPROCESSABLE = 422
MOST_NAMES = 200
EDITED = ("name", "key", "description")


# The list ----------------------------------------------------------------------------------------
@login_required
@require_GET
@vary_on_headers("HX-Request")
def labelset(request: HttpRequest, job_id: int) -> HttpResponse:
    """The labels of a job; `edit` opens one of them for editing."""
    member = member_or_404(request.user, job_id)
    context = _context(request, member)
    edited = read_number(request.GET.get("edit"))
    if edited and member.can(Ability.MANAGE_LABELS):
        context["edited"] = member.job.labels.filter(pk=edited).first()
    template = "labels/_labelset.html" if request.htmx else "labels/labelset.html"
    return render(request, template, context)


def _context(request: HttpRequest, member: Member) -> dict[str, Any]:
    place = request.GET
    page = read_number(place.get("page")) or 1
    listing = read_listing(member.job, search=place.get("q", "").strip(), page=page)
    manages = member.can(Ability.MANAGE_LABELS)
    last = undoing.last_to_undo(member) if manages else None
    return {
        "member": member,
        "job": member.job,
        "listing": listing,
        "manages": manages,
        "colours": range(1, COLOURS + 1),
        "free_keys": FREE,
        "last_change": last,
        "last_text": undoing.describe(last) if last else "",
    }


def _done(request: HttpRequest, member: Member, result: Result | None = None) -> HttpResponse:
    """The list again, with what was done and the way back."""
    text = getattr(result, "message", "")
    if not request.htmx:
        if text:
            messages.success(request, text)
        return redirect(reverse("labelset", args=[member.job_id]) + _query(request))
    context = _context(request, member) | {"done": text}
    if result is not None and result.change is not None and not result.change.reverts_id:
        context["undoes"] = result.change.pk
    return render(request, "labels/_labelset.html", context)


def _query(request: HttpRequest) -> str:
    kept = QueryDict(mutable=True)
    for name in ("q", "page"):
        if request.GET.get(name):
            kept[name] = request.GET[name]
    return f"?{kept.urlencode()}" if kept else ""


def _refused(request: HttpRequest, member: Member, error: DomainError) -> HttpResponse:
    """The list as it is, and in a toast or a message why nothing was done."""
    messages.error(request, error.message)
    if not request.htmx:
        return redirect(reverse("labelset", args=[member.job_id]) + _query(request))
    context = _context(request, member)
    response = render(request, "labels/_labelset.html", context, status=UNPROCESSABLE)
    # The question before was to be a dialog.
    return reswap(retarget(response, "#labelset"), "outerHTML")


@login_required
@require_GET
def labelset_run(request: HttpRequest, job_id: int) -> HttpResponse:
    """How far the images of a merge or a deletion are; asks for the list when they are done."""
    member = member_or_404(request.user, job_id)
    run = running(member.job)
    response = render(request, "labels/_run.html", {"job": member.job, "run": run})
    return response if run else trigger_client_event(response, "labels:changed")


# Adding ------------------------------------------------------------------------------------------
@login_required
@require_POST
def labelset_add(request: HttpRequest, job_id: int) -> HttpResponse:
    """Adds the labels of a text; with `fix`, shows it with names that may be labels first."""
    member = member_or_404(request.user, job_id, Ability.CREATE_LABEL)
    text = request.POST.get("labels", "")
    error = ""
    if "fix" not in request.POST:
        try:
            return _done(request, member, edits.add_labels(member, _new_names(member, text)))
        except DomainError as refused:
            error = refused.message
    else:
        text = with_suggestions(text)
    context = _context(request, member) | _typed(member, text) | {"error": error}
    if not request.htmx:
        status = UNPROCESSABLE if error else 200
        return render(request, "labels/labelset.html", context, status=status)
    response = render(request, "labels/_add.html", context)
    return reswap(retarget(response, "#labelset-add"), "outerHTML")


@login_required
@require_POST
def labelset_preview(request: HttpRequest, job_id: int) -> HttpResponse:
    """How labels that are typed will look, and which of them are there already."""
    member = member_or_404(request.user, job_id, Ability.CREATE_LABEL)
    context = _typed(member, request.POST.get("labels", "")) | {"job": member.job}
    return render(request, "labels/_add_preview.html", context)


def _typed(member: Member, text: str) -> dict[str, Any]:
    typed = typed_labels(text)
    wanted = [one.name for one in typed]
    there = set(member.job.labels.filter(name__in=wanted).values_list("name", flat=True))
    return {
        "text": text,
        "typed": typed[:MOST_NAMES],
        "there": there,
        "more": max(0, len(typed) - MOST_NAMES),
        "is_refused": any(one.suggestion for one in typed),
    }


def _new_names(member: Member, text: str) -> list[str]:
    """The names that the job does not have yet; a list that is pasted twice adds nothing twice."""
    typed = typed_labels(text)
    if len(typed) > MOST_LABELS:
        raise DomainError(_("Give at most %(most)d labels.") % {"most": MOST_LABELS})
    wanted = list(dict.fromkeys(one.name for one in typed))
    there = set(member.job.labels.filter(name__in=wanted).values_list("name", flat=True))
    new = [name for name in wanted if name not in there]
    if wanted and not new:
        raise DomainError(_("All of these labels are there already."), code="label_exists")
    return new


# One label ---------------------------------------------------------------------------------------
@login_required
@require_POST
def labelset_edit(request: HttpRequest, job_id: int, label_id: int) -> HttpResponse:
    """Sets what the form holds of name, key, description and colour."""
    member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
    get_object_or_404(member.job.labels, pk=label_id)
    given: dict[str, Any] = {name: request.POST[name] for name in EDITED if name in request.POST}
    if "colour" in request.POST:
        given["colour"] = read_number(request.POST["colour"])
    try:
        _label, result = edits.edit_label(member, label_id, **given)
    except DomainError as error:
        if not {"name", "key"} & given.keys():
            return _refused(request, member, error)
        label = member.job.labels.get(pk=label_id)
        return _edit_again(request, member, label, given, error)
    return _done(request, member, result)


def _edit_again(
    request: HttpRequest, member: Member, label: Label, given: dict[str, Any], error: DomainError
) -> HttpResponse:
    """The form as it was sent, with what is wrong; a name that exists with the way to merge."""
    for name, value in given.items():
        setattr(label, name, value)
    context = _context(request, member) | {"edited": label, "edit_error": error.message}
    if error.code == "label_exists":
        context["merges_into"] = member.job.labels.get(pk=error.details["label"])
    template = "labels/_labelset.html" if request.htmx else "labels/labelset.html"
    return render(request, template, context, status=UNPROCESSABLE)


@login_required
@require_POST
def labelset_move(request: HttpRequest, job_id: int, label_id: int) -> HttpResponse:
    """Moves a label to the place `to`, 0 the first."""
    member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
    get_object_or_404(member.job.labels, pk=label_id)
    to = read_number(request.POST.get("to"))
    try:
        if to is not None:
            edits.move_label(member, label_id, to=to)
    except DomainError as error:
        return _refused(request, member, error)
    # Where it is now is to be seen: nothing more to say.
    return _done(request, member)


@login_required
@require_POST
def labelset_sort(request: HttpRequest, job_id: int) -> HttpResponse:
    """Puts the whole list in order, `by` name or count."""
    member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
    try:
        result = edits.sort_labels(member, request.POST.get("by", ""))
    except DomainError as error:
        return _refused(request, member, error)
    return _done(request, member, result)


# Merging and deleting ----------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def labelset_merge(request: HttpRequest, job_id: int) -> HttpResponse:
    """Asks what to merge into, with the numbers; a POST merges."""
    member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
    given = request.POST if request.method == "POST" else request.GET
    context = _merge(member, given)
    if request.method == "POST" and context["target"]:
        try:
            result = merging.merge_labels(member, _ids(given), context["target"].pk)
        except DomainError as error:
            context["error"] = error.message
        else:
            return _done(request, member, _in_words(result))
    is_wrong = request.method == "POST" or not context["sources"]
    if "part" in request.GET and request.htmx:
        return render(request, "labels/_merge_preview.html", context)
    return _asked(request, "merge", context, is_wrong=is_wrong)


def _merge(member: Member, given: QueryDict) -> dict[str, Any]:
    sources = list(member.job.labels.filter(pk__in=_ids(given)))
    typed = clean_label_name(given.get("into", ""))
    target = member.job.labels.filter(pk=read_number(given.get("target")) or 0).first()
    target = target or (member.job.labels.filter(name=typed).first() if typed else None)
    context = {
        "member": member,
        "job": member.job,
        "sources": sources,
        "target": target,
        "typed": target.name if target and not typed else typed,
        "names": matches(member.job, typed).exclude(pk__in=[one.pk for one in sources])[
            :MOST_NAMES
        ],
        "place": _place(given),
    }
    if target and sources:
        try:
            context["preview"] = merging.preview_merge(member, _ids(given), target.pk)
        except DomainError as error:
            context["error"] = error.message
    elif typed:
        context["error"] = _("This job has no label “%(name)s”.") % {"name": typed[:80]}
    return context


@login_required
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def labelset_delete(request: HttpRequest, job_id: int) -> HttpResponse:
    """Asks what becomes of the images, with the numbers; a POST deletes."""
    member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
    given = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"member": member, "job": member.job, "place": _place(given)}
    try:
        if request.method == "POST":
            policy = given.get("policy", "")
            if policy not in deletion.policies(member):
                raise DomainError(_("Choose what becomes of the images."), code="policy")
            result = deletion.delete_labels(member, _ids(given), policy=Policy(policy))
            return _done(request, member, _in_words(result))
        context["preview"] = deletion.preview_deletion(member, _ids(given))
        context["policies"] = deletion.policies(member)
    except DomainError as error:
        return _refused(request, member, error)
    return _asked(request, "delete", context)


def _asked(
    request: HttpRequest, question: str, context: dict[str, Any], *, is_wrong: bool = False
) -> HttpResponse:
    """The question as a dialog, or without scripts as a page."""
    if not request.htmx:
        status = UNPROCESSABLE if is_wrong else 200
        return render(request, f"labels/{question}.html", context, status=status)
    response = render(request, f"labels/_{question}.html", context)
    return reswap(retarget(response, "#dialog"), "innerHTML")


def _ids(given: QueryDict) -> list[int]:
    return [number for raw in given.getlist("labels") if (number := read_number(raw))]


def _place(given: QueryDict) -> dict[str, str]:
    return {name: given.get(name, "") for name in ("q", "page")}


def _in_words(result: LabelResult) -> LabelResult:
    return undoing.said(result, result.change.params) if result.change else result


@login_required
@require_POST
def labelset_undo(request: HttpRequest, job_id: int) -> HttpResponse:
    """Takes back the change of labels that `change` names."""
    member = member_or_404(request.user, job_id, Ability.MANAGE_LABELS)
    try:
        result = undoing.undo_change(member, read_number(request.POST.get("change")) or 0)
    except DomainError as error:
        return _refused(request, member, error)
    return _done(request, member, result)
