"""The engine of many machines: Celery hands out calls, the rows say what there is to do."""

import os
import socket

from celery import shared_task

from runs import clock, engine
from runs.models import Chunk

# Calls that one sweep sends: as many workers as this are woken at once.
SPREAD = 8


@shared_task(name="runs.tasks.work")
def work() -> None:
    """Does one chunk and calls for two more, so that idle workers join in.

    A call too many finds nothing to take and ends: there are at most two calls a chunk.
    """
    if engine.work_once(f"{socket.gethostname()}-{os.getpid()}"):
        for _call in range(Chunk.objects.takeable()[:2].count()):
            work.delay()


@shared_task(name="runs.tasks.resume")
def resume() -> None:
    """Called by Celery beat: does what is due, and takes up what a dead worker or a lost message
    left."""
    clock.tick(at_once=True)
    for _call in range(Chunk.objects.takeable()[:SPREAD].count()):
        work.delay()
