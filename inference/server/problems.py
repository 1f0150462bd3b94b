"""Every error that the server answers: problem+json, with `title` as well as `detail` filled.

The PaddleLabel page shows `title` in its toast, and "Something unexpected happened" where it is
empty, as it is with PaddleLabel-ML itself.
"""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from inference.server.pool import Busy, ModelFailed, Stopping
from inference.server.prediction import NotStarting, PredictionError, ProcessHung

STATUS_OF = {
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    ModelFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    NotStarting: HTTPStatus.SERVICE_UNAVAILABLE,
    Stopping: HTTPStatus.SERVICE_UNAVAILABLE,
    ProcessHung: HTTPStatus.GATEWAY_TIMEOUT,
}


class Problem(Exception):
    def __init__(self, status: int, detail: str, *, title: str = "", message: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or detail
        self.message = message  # repeat the detail in a header `message`, as PaddleLabel-ML does


async def answer_problem(_: Request, problem: Problem) -> JSONResponse:
    headers = {"message": _header_value(problem.detail)} if problem.message else None
    body = {
        "detail": problem.detail,
        "status": problem.status,
        "title": problem.title,
        "type": "about:blank",
    }
    return JSONResponse(
        body, problem.status, media_type="application/problem+json", headers=headers
    )


async def answer_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    """No such route, or a method that it does not have."""
    detail = f"{request.method} {request.url.path} is not offered by this server"
    problem = Problem(error.status_code, detail, title=HTTPStatus(error.status_code).phrase)
    response = await answer_problem(request, problem)
    response.headers.update(error.headers or {})
    return response


async def answer_prediction_error(request: Request, error: PredictionError) -> JSONResponse:
    status = STATUS_OF.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    return await answer_problem(request, Problem(status, str(error)))


def _header_value(text: str) -> str:
    """What a header can carry: one line of Latin-1 (a model name in a URL can hold anything)."""
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")
