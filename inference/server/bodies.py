"""Reads and checks request bodies; what is wrong is a Problem in the words of PaddleLabel-ML."""

import json
from typing import Any

from starlette.requests import Request

from inference.server import multipart
from inference.server.options import Options
from inference.server.prediction import Image
from inference.server.problems import Problem

BAD_REQUEST = "Bad Request"


async def read(request: Request, *, limit: int) -> bytes:
    """The whole body; refused as soon as it is known to be over the limit."""
    announced = request.headers.get("content-length", "0")
    pieces, size = [], 0
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        pieces.append(piece)
    return b"".join(pieces)


async def read_object(request: Request, *, limit: int) -> dict[str, Any]:
    """The JSON object in the body."""
    body = await read(request, limit=limit)
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not body:
        raise Problem(400, "None is not of type 'object'", title=BAD_REQUEST)
    if content_type != "application/json":
        raise Problem(
            415,
            f"Invalid Content-type ({content_type}), expected JSON data",
            title="Unsupported Media Type",
        )
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}", title=BAD_REQUEST) from error
    _require(content, dict, "object")
    return content


def check_load(body: dict[str, Any]) -> None:
    """`{"init_params": {}}`; a model of one's own is a folder beside the others, not a path."""
    params = body.get("init_params", {})
    _require(params, dict, "object", name="init_params")
    if given := [name for name, value in params.items() if value]:
        raise Problem(
            400,
            f"init_params {', '.join(given)}: this server takes its models from its model folder",
        )


def check_predict(body: dict[str, Any], options: Options) -> Image:
    """`{"img", "format"}` and optionally `piggyback` and `other`."""
    for name in ("img", "format"):
        if name not in body:
            raise Problem(400, f"'{name}' is a required property", title=BAD_REQUEST)
        _require(body[name], str, "string", name=name)
    for name in ("piggyback", "other"):
        _require(body.get(name, {}), dict, "object", name=name)
    if body["format"] not in ("b64", "path"):
        raise Problem(400, f"format {body['format']!r} is not known; send 'b64'")
    if body["format"] == "path" and not options.path_roots:
        raise Problem(400, "format 'path' is switched off on this server; send 'b64'")
    return Image(body["format"], body["img"].encode("utf-8", "surrogatepass"))


async def read_images(request: Request, options: Options) -> list[Image]:
    """Raw bytes of one image, or multipart/form-data with one image per part."""
    body = await read(request, limit=options.max_body_bytes)
    content_type = request.headers.get("content-type", "")
    kind = content_type.split(";")[0].strip().lower()
    if kind.startswith("image/") or kind == "application/octet-stream":
        return [Image("bytes", body)]
    if kind != "multipart/form-data":
        raise Problem(
            415,
            "Send the bytes of one image as image/* or application/octet-stream, or several as "
            "multipart/form-data",
            title="Unsupported Media Type",
        )
    try:
        contents = multipart.parts(body, content_type)
    except multipart.MultipartError as error:
        raise Problem(400, f"The multipart body cannot be read: {error}") from error
    if not 1 <= len(contents) <= options.max_images:
        raise Problem(400, f"{len(contents)} images; send 1 to {options.max_images} in a request")
    return [Image("bytes", content) for content in contents]


def read_top_k(request: Request) -> int:
    given = request.query_params.get("top_k", "5")
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= 1000):
        raise Problem(400, f"top_k is {given!r}; it must be a whole number from 1 to 1000")
    return int(given)


def _require(value: Any, kind: type, word: str, *, name: str = "") -> None:
    if not isinstance(value, kind):
        where = f" - '{name}'" if name else ""
        raise Problem(400, f"{value!r:.80} is not of type '{word}'{where}", title=BAD_REQUEST)


def _too_large(limit: int) -> Problem:
    return Problem(413, f"The request is over the limit of {limit:,} bytes")
