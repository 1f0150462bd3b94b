"""What the server answers over HTTP.

Of PaddleLabel-ML 1.0.0, in its own words, so that its page and its clients work unchanged:

    GET  /running              true
    GET  /                     the models: [{"name", "interactive", "task_categories", ...}]
    GET  /version              the version of this server
    POST /{model}/load         {"init_params": {}} -> "Model PPLCNetV2 loaded"
    POST /{model}/predict      {"img": base64, "format": "b64", "piggyback": {}?}
                               -> {"predictions": [{"label_name", "score"}], "piggyback"?}
    GET  /{model}/unload       "Model PPLCNetV2 unloaded!"

Of ours:

    POST /{model}/classify?top_k=5   one image as raw bytes (Content-Type image/jpeg, any image/*,
                               or application/octet-stream), or up to 64 as multipart/form-data, one
                               per part, the names of the parts do not matter
                               -> {"model", "numeric_mode", "results": [{"labels": [{"label_name",
                               "score"}, ...]} or {"error": {"reason"}}, ...]}, one per image in
                               order. A request with one image answers 400 when it is bad. Needs no
                               load before it.
    GET  /health               processes, numeric mode, models, what is missing and how to add it

Two answers differ from PaddleLabel-ML on purpose: a bad image is a 400 that names the reason (there
a 500), since it is not the server that failed and clients must not repeat the request; and every
error has a title. The page treats any status but 2xx alike: it shows the title.
"""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from inference.server import bodies, folder
from inference.server.options import Options
from inference.server.pool import ModelFailed, Pool
from inference.server.prediction import PredictionError
from inference.server.problems import (
    Problem,
    answer_http_exception,
    answer_prediction_error,
    answer_problem,
)

VERSION = "1.0.4"  # the first PaddleLabel-ML that answers /version
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


@dataclass
class Served:
    """State of the front. `loaded`: names that PaddleLabel's load has been called for."""

    options: Options
    pool: Pool
    loaded: set[str] = field(default_factory=set)
    loading: asyncio.Lock = field(default_factory=asyncio.Lock)


def application(options: Options, pool: Pool) -> Starlette:
    app = Starlette(
        routes=[
            Route("/", models),
            Route("/running", running),
            Route("/version", version),
            Route("/health", health),
            Route("/{model}/load", load, methods=["POST"]),
            Route("/{model}/predict", predict, methods=["POST"]),
            Route("/{model}/classify", classify, methods=["POST"]),
            Route("/{model}/unload", unload),
        ],
        middleware=[_cross_origin(options), Middleware(SingleSlashes)],
        exception_handlers={
            Problem: answer_problem,
            HTTPException: answer_http_exception,
            PredictionError: answer_prediction_error,
        },
    )
    app.state.served = Served(options, pool)
    return app


async def running(_: Request) -> JSONResponse:
    return JSONResponse(True)


async def version(_: Request) -> JSONResponse:
    return JSONResponse(VERSION)


async def models(request: Request) -> JSONResponse:
    """Includes the expected model when it is not installed: the page offers it in any case."""
    model_dir = _served(request).options.model_dir
    return JSONResponse([_listed(model_dir, name) for name in _known(model_dir)])


async def health(request: Request) -> JSONResponse:
    served = _served(request)
    states = []
    for name in _known(served.options.model_dir):
        state: dict[str, Any] = {
            "name": name,
            "state": "installed",
            "loaded": name in served.loaded,
        }
        if lacking := folder.missing(served.options.model_dir, name):
            state |= {"state": "missing", "how_to_add": _how_to_add(lacking)}
            state |= {"missing": [str(path) for path in lacking]}
        states.append(state)
    processes = served.pool.report()
    alive = any(process["state"] in ("ready", "busy") for process in processes)
    return JSONResponse(
        {
            "status": "ready" if alive else processes[0]["state"],
            "numeric_mode": served.options.engine,
            "processes": processes,
            "models": states,
        }
    )


async def load(request: Request) -> JSONResponse:
    served, name = _served(request), request.path_params["model"]
    bodies.check_load(await bodies.read_object(request, limit=served.options.max_body_bytes))
    if name not in _known(served.options.model_dir):
        raise Problem(404, f"No model named {name}", message=True)
    _require_installed(served.options, name)
    async with served.loading:
        if name in served.loaded:
            return JSONResponse(f"Model {name} is already loaded")
        try:
            await served.pool.load(name)
        except ModelFailed as error:
            raise Problem(500, f"Model load failed. {error}", message=True) from error
        served.loaded.add(name)
    return JSONResponse(f"Model {name} loaded")


async def unload(request: Request) -> JSONResponse:
    """Forgets the load. The predictors stay in memory: classify shares them."""
    served, name = _served(request), request.path_params["model"]
    if name not in _known(served.options.model_dir):
        raise Problem(404, f"No model named {name}", message=True)
    if name not in served.loaded:
        return JSONResponse(f"Model {name} is not loaded!")
    served.loaded.remove(name)
    return JSONResponse(f"Model {name} unloaded!")


async def predict(request: Request) -> JSONResponse:
    served, name = _served(request), request.path_params["model"]
    body = await bodies.read_object(request, limit=served.options.max_body_bytes)
    image = bodies.check_predict(body, served.options)
    if name in _known(served.options.model_dir):
        _require_installed(served.options, name)
    if name not in served.loaded:
        detail = f"Model {name} not loaded, call load endpoint first!"
        raise Problem(500, detail, message=True)
    [result] = await served.pool.classify(name, [image], top_k=1)
    _refuse_bad_image(result)
    answer = {"predictions": result["labels"]}
    if "piggyback" in body:
        answer["piggyback"] = body["piggyback"]
    return JSONResponse(answer)


async def classify(request: Request) -> JSONResponse:
    served, name = _served(request), request.path_params["model"]
    top_k = bodies.read_top_k(request)
    if name not in _known(served.options.model_dir):
        raise Problem(404, f"No model named {name}", message=True)
    _require_installed(served.options, name)
    images = await bodies.read_images(request, served.options)
    results = await served.pool.classify(name, images, top_k=top_k)
    if len(results) == 1:
        _refuse_bad_image(results[0])
    return JSONResponse({"model": name, "numeric_mode": served.options.engine, "results": results})


class SingleSlashes:
    """`//running`: PaddleLabel joins a base URL that ends in a slash with "/running"."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "//" in scope["path"]:
            scope = {**scope, "path": re.sub("/{2,}", "/", scope["path"])}
        await self.app(scope, receive, send)


def _cross_origin(options: Options) -> Middleware:
    """Answers preflights as flask-cors does for PaddleLabel-ML: the origin is echoed."""
    everybody = "*" in options.cors_origins
    return Middleware(
        CORSMiddleware,
        allow_origins=() if everybody else options.cors_origins,
        allow_origin_regex=".*" if everybody else None,
        allow_methods=METHODS,
        allow_headers=["*"],
        # A page on another host asks its browser for a server on this one.
        allow_private_network=True,
    )


def _served(request: Request) -> Served:
    return request.app.state.served


def _known(model_dir: Path) -> list[str]:
    return sorted({folder.EXPECTED, *folder.installed(model_dir)})


def _listed(model_dir: Path, name: str) -> dict[str, Any]:
    model = {"name": name, "interactive": False, "task_categories": ["classification"]}
    if lacking := folder.missing(model_dir, name):
        return {**model, "label_names": [], "description": _how_to_add(lacking)}
    try:
        return {**model, "label_names": folder.label_names(model_dir / name)}
    except folder.ModelFolderError as error:
        return {**model, "label_names": [], "description": str(error)}


def _require_installed(options: Options, name: str) -> None:
    """Looked up on disk each time, so that weights added later need no restart."""
    if lacking := folder.missing(options.model_dir, name):
        raise Problem(503, f"Model {name} is not installed. {_how_to_add(lacking)}", message=True)


def _how_to_add(lacking: list[Path]) -> str:
    names = ", ".join(str(path) for path in lacking)
    return f"Missing: {names}. To add them: {folder.HOW_TO_ADD}"


def _refuse_bad_image(result: dict[str, Any]) -> None:
    if "error" in result:
        raise Problem(400, f"The image cannot be used: {result['error']['reason']}")
