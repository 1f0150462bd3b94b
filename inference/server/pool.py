"""The prediction processes and the queue in front of them.

Each process has one keeper, a task that starts it, hands it one request at a time, and replaces it
when it dies or hangs. So requests cannot mix, and a crash costs no more than the request it met.

Single requests are not gathered into batches: on fp32 a batch of 8 costs as much as six single
ones, which is less than what waiting for the other seven would cost the first.
"""

import asyncio
import math
from typing import Any

from inference.server.options import BUCKET, Options
from inference.server.prediction import (
    Image,
    Job,
    NotStarting,
    PredictionError,
    PredictionProcess,
    ProcessDied,
)

LONGEST_PAUSE = 10.0  # s between attempts to start a process that does not start
WAITING_AT_MOST = 256  # jobs in the queue
Result = dict[str, Any]


class Busy(PredictionError):
    """Too many requests are waiting."""


class Stopping(PredictionError):
    """The server has been told to stop."""


class ModelFailed(PredictionError):
    """The model's files are damaged, or Paddle refuses them."""


class Keeper:
    """Keeps one prediction process alive and busy. States: starting, ready, busy, failed."""

    def __init__(self, options: Options, pool: "Pool") -> None:
        self.options = options
        self.pool = pool
        self.process: PredictionProcess | None = None
        self.state = "starting"
        self.problem = ""

    async def run(self) -> None:
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause + 0.5)
            try:
                self.process = PredictionProcess(self.options)
                await self.process.ready()
                self.problem, pause = "", 0.0
                await self._work(self.process)
                self.state = "starting"
            except (PredictionError, OSError) as error:
                self.state, self.problem = "failed", f"no prediction process starts: {error}"
                self.pool.fail_if_none_starts()
            finally:
                if self.process:
                    self.process.close()
                    self.process = None

    async def _work(self, process: PredictionProcess) -> None:
        """Job after job, until the process ends or has to be ended."""
        while True:
            self.state = "ready"
            job = await self._next_job(process)
            if job is None:
                return
            if job.answer.done():
                continue
            self.state = "busy"
            try:
                job.settle(await process.ask(job, timeout=self.options.timeout))
            except PredictionError as error:
                job.settle(error)
                return

    async def _next_job(self, process: PredictionProcess) -> Job | None:
        """The next job, or None when the idle process has ended."""
        waiting = asyncio.ensure_future(self.pool.queue.get())
        try:
            await asyncio.wait({waiting, process.gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not waiting.done():
                waiting.cancel()
        return waiting.result() if waiting.done() else None


class Pool:
    """`async with Pool(options) as pool: results = await pool.classify(...)`."""

    def __init__(self, options: Options) -> None:
        self.queue: asyncio.Queue[Job] = asyncio.Queue()
        self.unanswered: set[Job] = set()
        self.keepers = [Keeper(options, self) for _ in range(options.process_count)]

    async def __aenter__(self) -> "Pool":
        self.tasks = [asyncio.create_task(keeper.run()) for keeper in self.keepers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for keeper in self.keepers:
            if keeper.process:
                keeper.process.kill()  # all at once; each keeper then waits for its own
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def load(self, model: str) -> None:
        """Have one process read the model, to learn whether it can be served."""
        await self._run(Job(model, [], top_k=1))

    async def classify(self, model: str, images: list[Image], *, top_k: int) -> list[Result]:
        """One result per image, in order: {"labels": [...]} or {"error": {"reason": ...}}.

        The images are spread over all processes, up to BUCKET at a time.
        """
        size = min(BUCKET, math.ceil(len(images) / len(self.keepers)))
        parts = [images[start : start + size] for start in range(0, len(images), size)]
        alone = len(images) == 1
        answers = await asyncio.gather(
            *(self._classify_part(model, part, top_k=top_k, alone=alone) for part in parts)
        )
        return [result for answer in answers for result in answer]

    def report(self) -> list[dict[str, Any]]:
        """State of every process, for /health."""
        return [
            {"pid": keeper.process and keeper.process.pid, "state": keeper.state}
            | ({"problem": keeper.problem} if keeper.problem else {})
            for keeper in self.keepers
        ]

    async def _classify_part(
        self, model: str, images: list[Image], *, top_k: int, alone: bool
    ) -> list[Result]:
        """Retry once what met a dying process: one by one, as one of them may have crashed it."""
        try:
            return await self._run(Job(model, images, top_k=top_k))
        except ProcessDied:
            return await asyncio.gather(
                *(self._classify_last(model, each, top_k=top_k, alone=alone) for each in images)
            )

    async def _classify_last(self, model: str, image: Image, *, top_k: int, alone: bool) -> Result:
        try:
            return (await self._run(Job(model, [image], top_k=top_k)))[0]
        except ProcessDied as error:
            if alone:
                raise
            return {"error": {"reason": f"tried twice: {error}"}}

    def fail_if_none_starts(self) -> None:
        """Answer what waits, when there is nobody left to work on it."""
        while self._problem() and not self.queue.empty():
            self.queue.get_nowait().settle(NotStarting(self._problem()))

    def give_up(self) -> None:
        """Answer everything that is under way, so that the server can stop."""
        for job in self.unanswered:
            job.settle(Stopping("the model server is stopping"))

    async def _run(self, job: Job) -> list[Result]:
        if problem := self._problem():
            raise NotStarting(problem)
        if self.queue.qsize() >= WAITING_AT_MOST:
            raise Busy(f"{WAITING_AT_MOST} requests are waiting already; try again later")
        self.queue.put_nowait(job)
        self.unanswered.add(job)
        try:
            answer = await job.answer
        finally:
            self.unanswered.remove(job)
        if "failure" in answer:
            raise ModelFailed(answer["failure"])
        return answer["results"]

    def _problem(self) -> str:
        """Why no process starts; empty as long as one may."""
        return self.keepers[0].problem if all(k.state == "failed" for k in self.keepers) else ""
