"""SIGKILL of the web process in the middle of a deletion: every file that is gone has no row, and
every file that stays has one."""

import os
import signal

import pytest
from django.db import transaction

from datasets import summaries
from datasets.sources import FolderSource
from jobs import counters, deletions, services
from jobs.models import Mode, Verb
from jobs.selection import Selection
from labels.annotate import annotate
from runs.models import ChunkState, Run, RunState
from tests import make
from tests.services.processes import free_port
from tests.services.web import Web

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]

IMAGES, KEPT = 8_000, 500


def test_a_deletion_survives_the_kill_of_its_process(alice, image_root, tmp_path):
    folder = image_root / "doomed"
    make.same_jpegs(folder, IMAGES)
    job = services.create_job(
        name="Doomed", mode=Mode.MULTI, source=FolderSource(str(folder)), by=alice
    )
    make.finish_runs()
    storage = job.dataset.storage
    storage.can_delete = True
    storage.save()
    samples = list(job.samples.order_by("pk").values_list("pk", flat=True))
    member = make.membership(job, alice)
    label_some(member, job, samples)
    web = Web(log=tmp_path / "log", model_server_port=free_port())
    web.start()
    chosen = Selection(query="", excluded=tuple(samples[-KEPT:]), expected=IMAGES - KEPT)
    run = deletions.start_deletion(member, chosen)

    def is_in_the_middle() -> bool:
        """Then the process stays stopped, so that the kill finds it there."""
        os.kill(web.process.popen.pid, signal.SIGSTOP)
        run.refresh_from_db()
        # By this process: that of the browser tests can be at work on the same database.
        its = f"-{web.process.popen.pid}"
        leased = run.chunks.filter(state=ChunkState.LEASED, number__gt=0, worker__endswith=its)
        if 0 < run.done < IMAGES - KEPT and leased.exists():
            return True
        os.kill(web.process.popen.pid, signal.SIGCONT)
        return False

    def is_over() -> bool:
        run.refresh_from_db()
        return run.is_over

    web.process.wait_until(is_in_the_middle, seconds=60, what="The first files are gone")
    web.kill()
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run.pk)
        assert 0 < run.done < IMAGES - KEPT
        assert job.samples.count() == job.dataset.images.count() == IMAGES - run.done
        assert counters.drift(job) == {}
    # A file can be gone whose row is not yet: never the other way round.
    rows = set(job.dataset.images.values_list("path", flat=True))
    assert files_in(folder) <= rows

    web.start()
    web.process.wait_until(is_over, seconds=180, what="The deletion goes on")
    web.stop()

    assert (run.state, run.total, run.done) == (RunState.DONE, IMAGES - KEPT, IMAGES - KEPT)
    assert run.counts == {"deleted": IMAGES - KEPT}
    assert run.chunks.filter(attempt=2).exists()
    assert not run.problems.exists()
    left = set(job.dataset.images.values_list("path", flat=True))
    assert files_in(folder) == left == set(job.samples.values_list("path", flat=True))
    assert len(left) == KEPT
    assert job.changes.get(verb=Verb.DELETE_FILES).sample_count == IMAGES - KEPT
    assert counters.drift(job) == {}
    job.dataset.refresh_from_db()
    assert job.dataset.summary == summaries.counted(job.dataset)


def label_some(member, job, samples: list[int]) -> None:
    label = job.labels.create(name="cat", position=0)
    annotate(member, Selection(ids=tuple(samples[::4])), add=[label.pk])


def files_in(folder) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.jpg")}
