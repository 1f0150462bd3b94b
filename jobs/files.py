"""Bytes that pages show or hand over: thumbnails, images, finished exports."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotFound,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header, parse_etags
from django.views.decorators.http import require_GET

from annotators.access import member_or_404
from annotators.roles import Ability
from datasets import problems, thumbnails
from datasets.models import Image
from datasets.pixels import BadImage
from datasets.storages import StorageError
from jobs import exports
from jobs.models import PURGED, Sample
from runs.models import RunKind, RunState

FOR_EVER = "private, max-age=31536000, immutable"
# Asked for again each time, answered by "not modified".
CHECKED = "private, no-cache"
BLOCK_BYTES = 262_144


@login_required
@require_GET
def thumbnail(request: HttpRequest, job_id: int, sample_id: int, key: str) -> HttpResponse:
    """The address holds the content key: what it shows never changes and is kept for ever.

    Images in the trash have theirs, until it is emptied of them.
    """
    member = member_or_404(request.user, job_id, Ability.VIEW)
    found = _image(Sample.everything.filter(job=member.job).exclude(trashed_at=PURGED), sample_id)
    try:
        content = thumbnails.thumbnail_of(found)
    except (StorageError, BadImage) as error:
        return _unshown(error)
    response = HttpResponse(content, content_type=thumbnails.MEDIA_TYPE)
    is_current = key == thumbnails.content_key(found)
    response["Cache-Control"] = FOR_EVER if is_current else CHECKED
    return response


@login_required
@require_GET
def image(request: HttpRequest, job_id: int, sample_id: int) -> HttpResponse:
    """The image at full size; with its content key as `v` it is kept for ever."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    found = _image(member.job.samples.all(), sample_id)
    key = thumbnails.content_key(found)
    etag = f'"{key}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponse = HttpResponseNotModified()
    else:
        try:
            shown = thumbnails.shown(found)
        except (StorageError, BadImage) as error:
            return _unshown(error)
        response = HttpResponse(shown.content, content_type=shown.media_type)
    response["ETag"] = etag
    response["Cache-Control"] = FOR_EVER if request.GET.get("v") == key else CHECKED
    return response


def _image(samples: QuerySet[Sample], sample_id: int) -> Image:
    rows = samples.select_related("image__dataset__storage")
    return get_object_or_404(rows, pk=sample_id).image


def _unshown(error: StorageError | BadImage) -> HttpResponse:
    text = problems.describe(error.code, error.params)
    response = HttpResponseNotFound(text, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = CHECKED
    return response


@login_required
@require_GET
def download(request: HttpRequest, job_id: int, run_id: int) -> StreamingHttpResponse:
    """The zip of an export that is done."""
    member = member_or_404(request.user, job_id, Ability.EXPORT)
    run = get_object_or_404(member.job.runs, pk=run_id, kind=RunKind.EXPORT, state=RunState.DONE)
    path = exports.file_of(run)
    if not path.is_file():
        raise Http404
    response = StreamingHttpResponse(_blocks(path), content_type="application/zip")
    name = f"{member.job.name}-{run.pk}.zip"
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Content-Length"] = path.stat().st_size
    response["Cache-Control"] = CHECKED
    return response


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    # Of a plain file object, which is no asynchronous iterator, all would be read into memory.
    with path.open("rb") as file:
        while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
            yield block
