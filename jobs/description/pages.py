"""Pages: the settings of a job with its labeling description, and the description as people see
it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from annotators.access import member_or_404
from annotators.models import Member
from annotators.roles import Ability
from jobs.description import pictures
from jobs.description.forms import JobSettingsForm, PictureForm
from jobs.description.rendering import pictures_in, reference_to, render_description
from jobs.description.services import describe_job, note_seen, rename_job
from labelhub.errors import DomainError

UNPROCESSABLE = 422
# Named by its content: what the address shows never changes.
FOR_EVER = "private, max-age=31536000, immutable"


@login_required
@require_http_methods(["GET", "POST"])
def job_settings(request: HttpRequest, job_id: int) -> HttpResponse:
    """Name and labeling description."""
    member = member_or_404(request.user, job_id, Ability.EDIT_JOB)
    job = member.job
    initial = {"name": job.name, "instructions": job.instructions}
    form = JobSettingsForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            rename_job(member, form.cleaned_data["name"])
            describe_job(member, form.cleaned_data["instructions"])
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Saved."))
            return redirect("job_settings", job_id)
    text = form["instructions"].value() or ""
    context = _shown(member, text) | {"form": form} | _pictures(member)
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "jobs/settings.html", context, status=status)


def _shown(member: Member, text: str) -> dict[str, Any]:
    rendered = render_description(text, job_id=member.job_id)
    return {"member": member, "job": member.job, "description": rendered}


def _pictures(member: Member) -> dict[str, Any]:
    used = pictures_in(member.job.instructions)
    names = [(name, reference_to(name), name in used) for name in pictures.names(member.job)]
    return {"pictures": names, "picture_form": PictureForm()}


@login_required
@require_POST
def description_preview(request: HttpRequest, job_id: int) -> HttpResponse:
    """How the text that is typed will look."""
    member = member_or_404(request.user, job_id, Ability.EDIT_JOB)
    context = _shown(member, request.POST.get("instructions", ""))
    return render(request, "jobs/_description_preview.html", context)


@login_required
@require_POST
def description_pictures(request: HttpRequest, job_id: int) -> HttpResponse:
    """Takes a picture, or with `remove` takes one away."""
    member = member_or_404(request.user, job_id, Ability.EDIT_JOB)
    error, added = "", ""
    if "remove" in request.POST:
        pictures.remove(member.job, request.POST["remove"])
    else:
        form = PictureForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                added = pictures.keep(member.job, form.cleaned_data["picture"])
            except DomainError as refused:
                error = refused.message
        else:
            error = _("Choose a picture first.")
    if not request.htmx:
        if error:
            messages.error(request, error)
        return redirect("job_settings", job_id)
    context = {"member": member, "job": member.job, "error": error, "added": added}
    status = UNPROCESSABLE if error else 200
    return render(
        request, "jobs/_description_pictures.html", context | _pictures(member), status=status
    )


@login_required
@require_GET
def description_picture(request: HttpRequest, job_id: int, name: str) -> HttpResponse:
    member = member_or_404(request.user, job_id)
    content = pictures.read(member.job, name)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type=pictures.MEDIA_TYPE)
    response["Cache-Control"] = FOR_EVER
    return response


@login_required
@require_GET
@vary_on_headers("HX-Request")
def description(request: HttpRequest, job_id: int) -> HttpResponse:
    """The labeling description: a dialog, or without scripts a page."""
    member = member_or_404(request.user, job_id)
    template = "jobs/_description.html" if request.htmx else "jobs/description.html"
    return render(request, template, _shown(member, member.job.instructions))


@login_required
@require_POST
def description_seen(request: HttpRequest, job_id: int) -> HttpResponse:
    """Opens the description by itself, once: from now on the member has seen it."""
    member = member_or_404(request.user, job_id)
    note_seen(member)
    return render(request, "jobs/_description.html", _shown(member, member.job.instructions))
