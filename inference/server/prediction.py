"""The front's end of one prediction process (child.py is the other end)."""

import asyncio
import itertools
import multiprocessing
import os
import socket
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from inference.server import child, frames
from inference.server.options import Options

SPAWN = multiprocessing.get_context("spawn")
START_TIMEOUT = 180.0  # s; importing Paddle takes 1 to 11 s, more on a machine under load


class PredictionError(Exception):
    """No answer; the sentence says why."""


class ProcessDied(PredictionError):
    """The process was killed or crashed while it worked on the request."""


class ProcessHung(PredictionError):
    """The process did not answer in time."""


class NotStarting(PredictionError):
    """No prediction process starts on this machine."""


@dataclass(frozen=True)
class Image:
    """One image of a request: its bytes, base64 text, or the name of a file (`kind`: child.py)."""

    kind: str
    content: bytes


@dataclass(eq=False)
class Job:
    """What one process does in one go; without images it only loads the model."""

    model: str
    images: list[Image]
    top_k: int
    answer: asyncio.Future[dict[str, Any]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def settle(self, outcome: dict[str, Any] | PredictionError) -> None:
        if self.answer.done():  # the client has gone
            return
        if isinstance(outcome, PredictionError):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class PredictionProcess:
    """Started on creation; `ready`, then `ask` as often as wanted, then `close`."""

    def __init__(self, options: Options) -> None:
        self.link, theirs = socket.socketpair()
        self.process = SPAWN.Process(
            target=child.run, args=(theirs, options, os.getpid()), daemon=True, name="prediction"
        )
        self.process.start()
        theirs.close()
        self.pid = self.process.pid
        self.writer: asyncio.StreamWriter | None = None
        self.numbers = itertools.count(1)
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self.process.sentinel, self._note_end)

    async def ready(self) -> None:
        """Wait until it has imported Paddle and loaded the models that are installed."""
        self.reader, self.writer = await asyncio.open_connection(sock=self.link)
        answer = await _within(START_TIMEOUT, frames.read_head(self.reader))
        if "problem" in answer:
            raise NotStarting(answer["problem"])

    async def ask(self, job: Job, *, timeout: float) -> dict[str, Any]:
        """Send one request and wait for its answer; never two at a time."""
        number = next(self.numbers)
        head = {
            "id": number,
            "model": job.model,
            "top_k": job.top_k,
            "images": [{"kind": image.kind, "size": len(image.content)} for image in job.images],
        }
        answer = await _within(timeout, self._exchange(head, job.images))
        if answer.pop("id") != number:
            raise ProcessDied("the prediction process answered out of turn")
        return answer

    def kill(self) -> None:
        """It holds no state, so there is nothing to end gracefully."""
        self.process.kill()

    def close(self) -> None:
        """Kill it and wait for its end."""
        asyncio.get_running_loop().remove_reader(self.process.sentinel)
        self.process.kill()
        (self.writer or self.link).close()
        self.process.join()
        self.process.close()

    async def _exchange(self, head: frames.Head, images: list[Image]) -> frames.Head:
        self.writer.write(frames.pack(head, sum(len(image.content) for image in images)))
        for image in images:
            self.writer.write(image.content)
            await self.writer.drain()
        return await frames.read_head(self.reader)

    def _note_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self.process.sentinel)
        self.gone.set_result(None)


async def _within(timeout: float, exchange: Awaitable[frames.Head]) -> frames.Head:
    try:
        return await asyncio.wait_for(exchange, timeout)
    except TimeoutError as error:
        raise ProcessHung(f"no answer from the prediction process in {timeout:g} s") from error
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise ProcessDied("the prediction process died") from error
