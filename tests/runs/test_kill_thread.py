"""SIGKILL of the web process in the middle of an import: nothing is lost or there twice."""

import os
import signal

import pytest

from datasets.sources import FolderSource
from jobs import counters, services
from jobs.models import Mode
from runs.models import ChunkState, RunState
from tests import make
from tests.services.processes import free_port
from tests.services.web import Web

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]

# Some seconds of work, so that its middle is met on a slow machine and on a quick one.
IMAGES = 20_000


def test_an_import_survives_the_kill_of_its_process(alice, image_root, tmp_path):
    folder = image_root / "many"
    make.same_jpegs(folder, IMAGES)
    web = Web(log=tmp_path / "log", model_server_port=free_port())
    web.start()
    # Not before: the import would be over when the web process is known to answer.
    source = FolderSource(str(folder))
    job = services.create_job(name="Many", mode=Mode.MULTI, source=source, by=alice)
    run = job.runs.get()

    def is_in_the_middle() -> bool:
        """Then the process stays stopped, so that the kill finds it there."""
        os.kill(web.process.popen.pid, signal.SIGSTOP)
        run.refresh_from_db()
        leased = run.chunks.filter(
            state=ChunkState.LEASED, number__gt=0, worker__endswith=f"-{web.process.popen.pid}"
        )
        if 0 < run.done < IMAGES and leased.exists():
            return True
        os.kill(web.process.popen.pid, signal.SIGCONT)
        return False

    def is_over() -> bool:
        run.refresh_from_db()
        return run.is_over

    web.process.wait_until(is_in_the_middle, seconds=60, what="The first images are in")
    web.kill()
    run.refresh_from_db()
    assert 0 < run.done < IMAGES
    assert job.samples.count() == run.done

    web.start()
    web.process.wait_until(is_over, seconds=180, what="The import goes on")
    web.stop()

    assert (run.state, run.total, run.done) == (RunState.DONE, IMAGES, IMAGES)
    assert run.counts == {"added": IMAGES}
    assert run.chunks.filter(attempt=2).exists()
    paths = list(job.dataset.images.values_list("path", flat=True))
    assert len(paths) == len(set(paths)) == IMAGES
    assert job.samples.count() == IMAGES
    assert counters.read(job) == {"state:unlabeled": IMAGES}
