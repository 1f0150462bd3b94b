"""Starts and stops the model server."""

import argparse
import asyncio
import errno
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from inference.server import folder, openmp
from inference.server.front import application
from inference.server.options import BF16, FP32, OptionError, Options, check
from inference.server.pool import Pool

# When the server is told to stop: s for answers under way, and s after which connections are cut.
PATIENCE, GRACE = 0.7, 1


def serve(**settings: Any) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code. Takes the fields of `Options`."""
    options = Options(**settings)
    try:
        check(options)
        listener = _listen(options)
    except (OptionError, OSError) as error:
        print(f"The model server cannot start: {_reason(error, options)}", file=sys.stderr)
        return 1
    with listener, openmp.found_by_children():
        asyncio.run(_serve(options, listener))
    return 0


def from_command_line(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m inference.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1234)
    parser.add_argument("--model-dir", type=Path, default=Path("data/models"))
    parser.add_argument("--processes", type=int, default=0, help="0: as many as cores")
    parser.add_argument("--numeric-mode", choices=(FP32, BF16), default=FP32)
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for a prediction")
    parser.add_argument("--max-body-bytes", type=int, default=Options.max_body_bytes)
    parser.add_argument("--cors-origins", nargs="*", default=Options.cors_origins)
    parser.add_argument("--path-roots", nargs="*", type=Path, default=())
    given = vars(parser.parse_args(arguments))
    for name in ("cors_origins", "path_roots"):
        given[name] = tuple(given[name])
    return serve(**given)


class _Server(uvicorn.Server):
    """uvicorn raises the signal again when it has stopped; here a signal is a clean end."""

    def __init__(self, config: uvicorn.Config, pool: Pool) -> None:
        super().__init__(config)
        self.pool = pool

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_later(PATIENCE, self.pool.give_up)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(options: Options, listener: socket.socket) -> None:
    async with Pool(options) as pool:
        config = uvicorn.Config(
            application(options, pool),
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=GRACE,
        )
        _announce(options, listener)
        await _Server(config, pool).serve(sockets=[listener])


def _listen(options: Options) -> socket.socket:
    """Bound before anything else is started, so that a port in use costs one line."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # asyncio sends small answers at once (TCP_NODELAY) only where the protocol is named; without it
    # many answers are held back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _announce(options: Options, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    print(
        f"Model server on http://{options.host}:{port} ({options.process_count} processes, "
        f"{options.engine})",
        flush=True,
    )
    if lacking := folder.missing(options.model_dir, folder.EXPECTED):
        names = ", ".join(str(path) for path in lacking)
        print(f"Missing: {names}. To add them: {folder.HOW_TO_ADD}", flush=True)


def _reason(error: OptionError | OSError, options: Options) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"port {options.port} is in use; stop what uses it or set "
            "LABELHUB_MODEL_SERVER_PORT to another one"
        )
    return str(error)
