"""A request that comes twice is done once.

A browser that got no answer cannot know whether its edit was done, so it sends it again with the
same `Idempotency-Key`. What was answered the first time is kept and answered again.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotators.access import member_or_404
from annotators.models import Member
from jobs.models import Answer
from labelhub.errors import Conflict, DomainError
from runs.clock import regularly

# A computer that was closed over the weekend still sends what was left to send.
KEPT = timedelta(days=7)
FORGOTTEN_AT_ONCE = 5_000

_PARAMETERS = [
    OpenApiParameter(
        "Idempotency-Key", UUID, "header", description="Sent again with a request that is repeated."
    ),
    OpenApiParameter(
        "Labelhub-User", int, "header", description="For whom the page was made: 409 for others."
    ),
]

Post = Callable[..., Response]


def once(post: Post) -> Post:
    """Wraps the `post` of a view of a job. Repeated with its key, it gives its first answer.

    What was refused is not kept: nothing was done, so it may be tried again.
    """

    @extend_schema(parameters=_PARAMETERS)
    @wraps(post)
    def answer(view: Any, request: Request, job_id: int, **more: Any) -> Response:
        _refuse_others(request)
        key = _key_of(request)
        if key is None:
            return post(view, request, job_id, **more)
        member = member_or_404(request.user, job_id)
        with transaction.atomic():
            # Two at once take turns: the second finds what the first was answered.
            Member.objects.select_for_update().get(pk=member.pk)
            own = {"job": member.job, "user": member.user, "key": key}
            if known := Answer.objects.filter(**own).first():
                return Response(known.body, status=known.status)
            response = post(view, request, job_id, **more)
            Answer.objects.create(**own, status=response.status_code, body=response.data)
            return response

    return answer


def _key_of(request: Request) -> UUID | None:
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise DomainError(_("The Idempotency-Key has to be a UUID."), code="key") from None


def _refuse_others(request: Request) -> None:
    """Somebody may have signed in as another person in another tab: edits stay whose they are."""
    meant = request.headers.get("Labelhub-User")
    if meant is not None and meant != str(request.user.pk):
        raise Conflict(_("Somebody else signed in here. Reload the page."), code="other_user")


@regularly
def forget_answers() -> None:
    late = Answer.objects.filter(created_at__lte=timezone.now() - KEPT).order_by("created_at")
    ids = list(late.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    if ids:
        Answer.objects.filter(pk__in=ids).delete()
