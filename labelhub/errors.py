"""One shape for every error of the API: `{"code", "message", …}`, the message in the user's
language."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, views
from rest_framework.response import Response


class DomainError(Exception):
    """A request that the rules of the product refuse: says what happened, to what, what to do.

    `status` is the HTTP status it becomes; `details` go into the answer beside the message.
    """

    status = 400
    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details


class Conflict(DomainError):
    """What the request assumed is no longer so."""

    status = 409
    code = "conflict"


class Unavailable(DomainError):
    """A part that the request needs does not answer."""

    status = 503
    code = "unavailable"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    if isinstance(error, DomainError):
        body = {"code": error.code, "message": str(error.message), **error.details}
        return Response(body, status=error.status)
    if isinstance(error, PermissionDenied) and error.args:
        error = exceptions.PermissionDenied(str(error.args[0]))
    elif isinstance(error, Http404):
        error = exceptions.NotFound()
    response = views.exception_handler(error, context)
    if response is not None:
        response.data = _in_one_shape(error, response.data)
    return response


def _in_one_shape(error: Exception, data: Any) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        fields = data if isinstance(data, dict) else {"non_field_errors": data}
        first = next(iter(fields.values()), "")
        message = first[0] if isinstance(first, list) and first else first
        return {"code": "invalid", "message": str(message), "fields": fields}
    detail = data.get("detail", "") if isinstance(data, dict) else data
    return {"code": getattr(detail, "code", "error"), "message": str(detail)}
