"""Bytes that pages show or hand over: thumbnails, images, finished exports."""

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotFound,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from annotators.access import member_or_404
from annotators.roles import Ability
from datasets import problems, thumbnails
from datasets.models import Image
from datasets.pixels import BadImage
from datasets.storages import StorageError
from datasets.thumbnails import Size
from jobs import exports, originals
from jobs.models import PURGED, Sample
from jobs.streams import Content, answer, file_content
from runs.models import RunKind, RunState

FOR_EVER = "private, max-age=31536000, immutable"
# Asked for again each time, answered by "not modified".
CHECKED = "private, no-cache"


@login_required
@require_safe
def thumbnail(
    request: HttpRequest, job_id: int, sample_id: int, size: str, key: str
) -> HttpResponse:
    """The address holds the content key: what it shows never changes and is kept for ever.

    Images in the trash have theirs, until it is emptied of them.
    """
    member = member_or_404(request.user, job_id, Ability.VIEW)
    found = _image(Sample.everything.filter(job=member.job).exclude(trashed_at=PURGED), sample_id)
    if size not in set(Size):
        raise Http404
    try:
        content = thumbnails.thumbnail_of(found, Size(size))
    except (StorageError, BadImage) as error:
        return _unshown(error)
    response = HttpResponse(content, content_type=thumbnails.MEDIA_TYPE)
    is_current = key == thumbnails.content_key(found)
    response["Cache-Control"] = FOR_EVER if is_current else CHECKED
    return response


def tile(request: HttpRequest, job_id: int, sample_id: int, key: str) -> HttpResponse:
    """The thumbnail of the grid, under a short address."""
    return thumbnail(request, job_id, sample_id, Size.TILE.value, key)


@login_required
@require_safe
def image(request: HttpRequest, job_id: int, sample_id: int) -> HttpResponseBase:
    """The image at full size: where the storage shows it, or with `stream` through the server.

    With its content key as `v` it is kept for ever.
    """
    member = member_or_404(request.user, job_id, Ability.VIEW)
    found = _image(member.job.samples.all(), sample_id)
    if "stream" not in request.GET and (address := originals.address_of(request, found)):
        response: HttpResponseBase = HttpResponseRedirect(address)
        response["Cache-Control"] = f"private, max-age={originals.KEPT_SECONDS}"
        return response
    try:
        response = answer(request, _content(found))
    except (StorageError, BadImage) as error:
        return _unshown(error)
    # A part that lies behind the end is not refused for ever.
    is_current = (
        request.GET.get("v") == thumbnails.content_key(found) and response.status_code < 400
    )
    response["Cache-Control"] = FOR_EVER if is_current else CHECKED
    return response


def _content(image: Image) -> Content:
    path = thumbnails.rendition_of(image)
    if path is None:
        return originals.content_of(image)
    media_type = thumbnails.media_type_of(path)
    return file_content(path, media_type=media_type, tag=thumbnails.content_key(image))


def _image(samples: QuerySet[Sample], sample_id: int) -> Image:
    rows = samples.select_related("image__dataset__storage")
    return get_object_or_404(rows, pk=sample_id).image


def _unshown(error: StorageError | BadImage) -> HttpResponse:
    text = problems.describe(error.code, error.params)
    response = HttpResponseNotFound(text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = CHECKED
    return response


@login_required
@require_safe
def download(request: HttpRequest, job_id: int, run_id: int) -> HttpResponseBase:
    """The zip of an export that is done; one that broke off can be taken up."""
    member = member_or_404(request.user, job_id, Ability.EXPORT)
    run = get_object_or_404(member.job.runs, pk=run_id, kind=RunKind.EXPORT, state=RunState.DONE)
    try:
        content = file_content(
            exports.file_of(run), media_type="application/zip", tag=f"export-{run.pk}"
        )
    except FileNotFoundError:
        raise Http404
    response = answer(request, content)
    name = f"{member.job.name}-{run.pk}.zip"
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = CHECKED
    return response
