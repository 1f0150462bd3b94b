"""Speaks to the model server. Images travel as their own bytes; scores come back as they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from labelhub.errors import Unavailable

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 60.0
TOP_K = 5


@dataclass(frozen=True)
class Scored:
    """Top labels of one image, best first: (the model's name of it, score 0–1); or the reason
    why there are none."""

    labels: tuple[tuple[str, float], ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Answer:
    model: str
    numeric_mode: str
    images: list[Scored]


def classify(images: Sequence[bytes]) -> Answer:
    """The model's top labels of each image, in their order.

    Raises `Unavailable` with the server's address when it does not answer or has no model.
    """
    parts = [("image", (f"{number}", image)) for number, image in enumerate(images)]
    address = f"{settings.MODEL_SERVER_URL}/{settings.MODEL_NAME}/classify"
    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    try:
        # A setting names the address; proxies of the environment are not asked.
        with httpx.Client(timeout=timeout, trust_env=False) as client:
            response = client.post(address, params={"top_k": TOP_K}, files=parts)
    except httpx.HTTPError as error:
        raise Unavailable(
            _(
                "The model server at %(address)s does not answer. Labeling goes on without "
                "suggestions."
            )
            % {"address": settings.MODEL_SERVER_URL},
            code="model_server",
            reason=str(error),
        )
    body = _body(response)
    if response.status_code == 400 and len(images) == 1:
        # A single image that cannot be read is the request's fault, one of several is not.
        return Answer(settings.MODEL_NAME, "", [Scored(problem=str(body.get("detail", "")))])
    return _read(response, body)


def _body(response: httpx.Response) -> dict:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _read(response: httpx.Response, body: dict) -> Answer:
    if response.status_code != 200 or "results" not in body:
        reason = body.get("detail") or response.reason_phrase
        raise Unavailable(
            _("The model server at %(address)s says: %(reason)s")
            % {"address": settings.MODEL_SERVER_URL, "reason": reason},
            code="model_server",
            reason=str(reason),
        )
    return Answer(body["model"], body["numeric_mode"], [_scored(one) for one in body["results"]])


def _scored(result: dict) -> Scored:
    if "error" in result:
        return Scored(problem=str(result["error"].get("reason", "")))
    return Scored(tuple((one["label_name"], one["score"]) for one in result["labels"]))
