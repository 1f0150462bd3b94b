"""A prediction process: started by pool.py, answers one request at a time over its socket.

A request is {"id", "model", "top_k", "images": [{"kind": "bytes" | "b64" | "path", "size"}]}, the
images one behind the other in the blob (for "path" the name of the file). No images: only load.
The answer is {"id", "results": [{"labels": [...]} | {"error": {"reason"}}]} or, when the model
itself cannot be served, {"id", "failure": sentence}.

Imports of numpy, OpenCV and Paddle are inside functions: what they read from the environment has
to be set first, and the front imports this module to name its entry.
"""

import ctypes
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inference.server import folder, frames
from inference.server.options import BUCKET, Options

if TYPE_CHECKING:
    from inference.server.classifier import Classifier

PR_SET_PDEATHSIG = 1
Answer = dict[str, Any]


def run(link: socket.socket, options: Options, parent: int) -> None:
    """Entry of the process; ends when the front closes the link or dies."""
    _die_with(parent)
    try:
        _prepare(options)
    except ImportError as error:
        link.sendall(frames.pack({"problem": str(error)}))
        return
    classifiers: dict[str, Classifier] = {}
    try:
        for name in folder.installed(options.model_dir):
            _preload(name, classifiers, options)
        link.sendall(frames.pack({"ready": True}))
        while True:
            request, blob = frames.receive(link)
            answer = answer_to(request, blob, classifiers=classifiers, options=options)
            link.sendall(frames.pack({"id": request["id"], **answer}))
    except (EOFError, ConnectionError):
        return


def answer_to(
    request: dict[str, Any],
    blob: memoryview,
    *,
    classifiers: "dict[str, Classifier]",
    options: Options,
) -> Answer:
    """Load the model if need be, then decode and predict what the request carries."""
    try:
        classifier = _classifier(request["model"], classifiers, options)
        results: list[Answer] = []
        for images in _in_buckets(request["images"], blob):
            results += _classify(classifier, images, top_k=request["top_k"], options=options)
    except (RuntimeError, ValueError, OSError) as error:  # of the model's files, or of Paddle
        return {"failure": f"{request['model']} cannot be served: {error}"}
    return {"results": results}


def _classifier(name: str, classifiers: "dict[str, Classifier]", options: Options) -> "Classifier":
    """The model in memory, loaded anew when its files have been replaced on disk."""
    from inference.server.classifier import Classifier

    path = options.model_dir / name
    known = classifiers.get(name)
    if known is None or known.model.revision != folder.read(path).revision:
        classifiers.pop(name, None)
        classifiers[name] = Classifier(
            path, numeric_mode=options.numeric_mode, max_pixels=options.max_pixels
        )
    return classifiers[name]


def _classify(
    classifier: "Classifier",
    images: list[tuple[str, memoryview]],
    *,
    top_k: int,
    options: Options,
) -> list[Answer]:
    """One result per image, in order; a bad image takes no place in the batch."""
    from inference.server.pixels import BadImage
    from inference.server.sources import read_source

    results: list[Answer] = []
    good: list[Answer] = []
    for kind, content in images:
        result: Answer = {}
        try:
            classifier.read(read_source(kind, content, options), len(good))
            good.append(result)
        except BadImage as error:
            result["error"] = {"reason": str(error)}
        results.append(result)
    if good:
        for result, scores in zip(good, classifier.scores(len(good)), strict=True):
            result["labels"] = classifier.top(scores, top_k)
    return results


def _in_buckets(
    images: list[dict[str, Any]], blob: memoryview
) -> Iterator[list[tuple[str, memoryview]]]:
    bucket: list[tuple[str, memoryview]] = []
    start = 0
    for image in images:
        bucket.append((image["kind"], blob[start : start + image["size"]]))
        start += image["size"]
        if len(bucket) == BUCKET:
            yield bucket
            bucket = []
    if bucket:
        yield bucket


def _preload(name: str, classifiers: "dict[str, Classifier]", options: Options) -> None:
    """Have the model ready before the first request, which will say so if it cannot be loaded."""
    answer_to(
        {"model": name, "images": []}, memoryview(b""), classifiers=classifiers, options=options
    )


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when the front dies, however it dies."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that line
        os._exit(1)


def _prepare(options: Options) -> None:
    """Environment, Paddle, signals: in the order that they need."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(options.max_pixels)
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
    warnings.simplefilter("ignore")  # "No ccache found", palettes with transparency

    import cv2
    import paddle
    from PIL import Image

    cv2.setNumThreads(1)
    Image.MAX_IMAGE_PIXELS = options.max_pixels
    # Importing Paddle replaces the handlers of SIGTERM and others; this puts the defaults back.
    paddle.disable_signal_handler()
    # Ctrl-C reaches the whole group: the front ends first and takes its processes with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
