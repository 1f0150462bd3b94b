"""SIGKILL of the web process in the middle of a merge of labels: it is finished, and once."""

import os
import signal

import pytest

from jobs import counters
from jobs.models import SampleState
from labels.labelset.merging import merge_labels
from labels.labelset.removal import SAMPLES_IN_PIECE
from labels.models import Annotation
from runs.models import RunState
from tests import make
from tests.services.processes import free_port
from tests.services.web import Web

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]

IMAGES = 20 * SAMPLES_IN_PIECE


def test_a_merge_survives_the_kill_of_its_process(alice, tmp_path):
    job = make.job(owner=alice, labels=("cat", "dog"))
    cat, dog = job.labels.all()
    samples = make.images(job, IMAGES)
    Annotation.objects.bulk_create(
        (Annotation(sample=one, label=cat, user=alice) for one in samples), batch_size=1_000
    )
    job.samples.update(state=SampleState.LABELED, label_count=1, last_by=alice)
    job.counters.all().delete()
    counters.add(job, counters.count(job))
    web = Web(log=tmp_path / "log", model_server_port=free_port())
    web.start()
    result = merge_labels(make.membership(job, alice), [cat.pk], dog.pk)
    run = result.run

    def is_in_the_middle() -> bool:
        """Then the process stays stopped, so that the kill finds it there."""
        os.kill(web.process.popen.pid, signal.SIGSTOP)
        run.refresh_from_db()
        if 0 < run.done < IMAGES:
            return True
        os.kill(web.process.popen.pid, signal.SIGCONT)
        return False

    def is_over() -> bool:
        run.refresh_from_db()
        return run.is_over

    web.process.wait_until(is_in_the_middle, seconds=60, what="The first images are done")
    web.kill()
    assert list(job.labels.all()) == [cat, dog]

    web.start()
    web.process.wait_until(is_over, seconds=180, what="The merge goes on")
    web.stop()

    result.change.refresh_from_db()
    assert (run.state, run.counts, result.change.sample_count) == (
        RunState.DONE,
        {"images": IMAGES},
        IMAGES,
    )
    assert list(job.labels.all()) == [dog]
    assert Annotation.objects.filter(label=dog).count() == IMAGES
    assert result.change.items.values("sample").distinct().count() == IMAGES
    assert counters.drift(job) == {}
