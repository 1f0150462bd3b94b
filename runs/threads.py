"""The engine of one machine: a thread in the web process that does one chunk after another."""

import logging
import os
import socket
import threading

from django.db import DatabaseError, connection

from runs import clock, engine

logger = logging.getLogger(__name__)

# Chunks whose lease runs out are noticed within this time even when nobody calls `wake`.
IDLE_SECONDS = 2.0


class RunThread:
    def __init__(self) -> None:
        self._called = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="runs")
        self._thread.start()

    def stop(self, seconds: float = 3.0) -> None:
        """Ends after the chunk at hand, or leaves it to its lease."""
        self._stopping.set()
        self._called.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def wake(self) -> None:
        self._called.set()

    def _loop(self) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}"
        while not self._stopping.is_set():
            self._called.clear()
            if not self._work(name):
                connection.close()
                self._called.wait(IDLE_SECONDS)
        connection.close()

    @staticmethod
    def _work(name: str) -> bool:
        try:
            clock.tick()
            return engine.work_once(name)
        except DatabaseError as error:
            logger.warning("The database did not answer the run thread: %s", error)
            return False


worker = RunThread()
