"""SIGKILL of the web process in the middle of a bulk edit: every image is edited once."""

import os
import signal

import pytest
from django.db.models import Count

from annotators.access import member_or_404
from jobs import counters
from jobs.models import ChangeItem
from jobs.selection import Selection
from labels.annotate import annotate
from labels.undo import undo_last
from runs.models import ChunkState, Run, RunState
from tests import make
from tests.services.processes import free_port
from tests.services.web import Web

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]

# Some seconds of work, so that its middle is met on a slow machine and on a quick one.
IMAGES = 40_000


def test_a_labeling_and_its_undo_survive_the_kill_of_their_process(alice, tmp_path):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.images(job, IMAGES)
    member, cat = member_or_404(alice, job.pk), job.labels.first()
    web = Web(log=tmp_path / "log", model_server_port=free_port())
    web.start()

    def survives(run: Run) -> None:
        """Kills the process while the run is in its middle, and has another one finish it."""

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

        web.process.wait_until(is_in_the_middle, seconds=60, what="The first images are done")
        web.kill()
        web.start()
        web.process.wait_until(is_over, seconds=180, what="The edit goes on")
        assert (run.state, run.done) == (RunState.DONE, IMAGES)
        assert run.counts == {"edited": IMAGES}
        assert run.chunks.filter(attempt=2).exists()

    labeled = annotate(member, Selection(query=""), add=[cat.pk])
    survives(labeled.run)
    labeled.change.refresh_from_db()
    assert labeled.change.sample_count == IMAGES
    assert cat.annotations.count() == IMAGES
    assert job.samples.filter(last_change=labeled.change, version=1).count() == IMAGES

    undone = undo_last(member)
    survives(undone.run)
    web.stop()

    assert cat.annotations.count() == 0
    assert job.samples.filter(last_change=None, version=2, state="unlabeled").count() == IMAGES
    twice = ChangeItem.objects.values("change", "sample").annotate(n=Count("pk")).filter(n__gt=1)
    assert not twice.exists()
    assert ChangeItem.objects.count() == 2 * IMAGES
    assert counters.drift(job) == {}
