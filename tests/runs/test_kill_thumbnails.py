"""SIGKILL of the web process in the middle of making thumbnails: all are there in the end, none is
half there."""

import io
import os
import shutil
import signal

import pytest
from django.conf import settings
from PIL import Image as Picture

from datasets.thumbnail_runs import start_thumbnails
from datasets.thumbnails import Size, content_key, kept_at
from runs.models import ChunkState, RunState
from tests import make
from tests.services.processes import free_port
from tests.services.web import Web

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]

# Some seconds of work, so that its middle is met on a slow machine and on a quick one.
IMAGES = 600


def test_thumbnails_survive_the_kill_of_their_process(tmp_path):
    # Numbers of rows come again in each test, and with them the names of kept thumbnails.
    shutil.rmtree(settings.DATA_DIR / "thumbnails", ignore_errors=True)
    job = make.job()
    samples = make.images(job, IMAGES)
    folder = make.folder_of(job)
    make.jpeg(folder / samples[0].path, size=(1600, 1200))
    for sample in samples[1:]:
        (folder / sample.path).hardlink_to(folder / samples[0].path)
    web = Web(log=tmp_path / "log", model_server_port=free_port())
    web.start()
    run = start_thumbnails(job.dataset)

    def is_in_the_middle() -> bool:
        """Then the process stays stopped, so that the kill finds it there."""
        os.kill(web.process.popen.pid, signal.SIGSTOP)
        run.refresh_from_db()
        leased = run.chunks.filter(state=ChunkState.LEASED, number__gt=0)
        if 0 < run.done < IMAGES and leased.exists():
            return True
        os.kill(web.process.popen.pid, signal.SIGCONT)
        return False

    def is_over() -> bool:
        run.refresh_from_db()
        return run.is_over

    web.process.wait_until(is_in_the_middle, seconds=60, what="The first thumbnails are made")
    web.kill()
    web.start()
    web.process.wait_until(is_over, seconds=120, what="The run goes on")
    web.stop()

    assert (run.state, run.done) == (RunState.DONE, IMAGES)
    assert run.counts["made"] + run.counts.get("already", 0) == IMAGES
    places = [kept_at(content_key(image), Size.TILE) for image in job.dataset.images.all()]
    assert {Picture.open(io.BytesIO(place.read_bytes())).size for place in places} == {(384, 288)}
    # What the killed process had begun to write is no thumbnail, and at most one a core is left.
    left = [one for place in places for one in place.parent.glob(f".{place.name}-*")]
    assert len(left) <= (os.cpu_count() or 1)
