"""SIGKILL of a Celery worker in the middle of an import, on PostgreSQL and Redis."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests import make
from tests.services.processes import REPOSITORY, Process, manage
from tests.services.web import environment

pytestmark = [pytest.mark.service]

IMAGES = 20_000
SUBMIT = """
from annotators.models import User
from datasets.sources import FolderSource
from jobs.services import create_job
alice = User.objects.create_user("alice@example.org", None, name="Alice", can_create_jobs=True)
create_job(name="Many", mode="multi", source=FolderSource({folder!r}), by=alice)
"""


@pytest.fixture
def shape(postgres_database, redis_server, tmp_path):
    """The environment of every process of an installation on many machines."""
    (tmp_path / "data").mkdir()
    return environment(
        LABELHUB_DATABASE_URL=postgres_database,
        LABELHUB_REDIS_URL=redis_server,
        LABELHUB_RUN_ENGINE="celery",
        LABELHUB_DATA_DIR=str(tmp_path / "data"),
        LABELHUB_IMAGE_ROOTS=str(tmp_path / "images"),
    )


def run_command(*arguments: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        manage(*arguments), cwd=REPOSITORY, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def celery(*arguments: str, env: dict[str, str], log: Path) -> Process:
    command = [sys.executable, "-m", "celery", "--app", "labelhub", *arguments]
    return Process(command, env=env, log=log)


def test_an_import_survives_the_kill_of_its_worker(shape, postgres_database, tmp_path):
    folder = tmp_path / "images" / "many"
    make.same_jpegs(folder, IMAGES)
    run_command("migrate", "--verbosity=0", env=shape)
    with psycopg.connect(postgres_database, autocommit=True) as database:

        def ask(sql: str) -> tuple:
            return database.execute(sql).fetchone()

        def progress() -> tuple:
            return ask("SELECT state, done FROM runs_run WHERE kind = 'sync'")

        def is_in_the_middle() -> bool:
            (held,) = ask("SELECT count(*) FROM runs_chunk WHERE state = 'leased'")
            return progress()[1] > 0 and held > 0

        run_command("shell", "--command", SUBMIT.format(folder=str(folder)), env=shape)
        beat = celery("beat", env=shape, log=tmp_path / "beat.log")
        first = celery("worker", "--concurrency=2", env=shape, log=tmp_path / "first.log")
        second = None
        try:
            first.wait_until(is_in_the_middle, seconds=60, what="The first images are in")
            first.kill()
            state, done = progress()
            assert state == "running"
            assert 0 < done < IMAGES
            assert ask("SELECT count(*) FROM jobs_sample") == (done,)

            second = celery("worker", "--concurrency=2", env=shape, log=tmp_path / "second.log")
            second.wait_until(
                lambda: progress()[0] != "running", seconds=180, what="The import goes on"
            )
        finally:
            for process in filter(None, (beat, first, second)):
                process.kill()

        assert progress() == ("done", IMAGES)
        assert ask("SELECT counts FROM runs_run WHERE kind = 'sync'") == ({"added": IMAGES},)
        assert ask("SELECT max(attempt) FROM runs_chunk")[0] >= 2
        assert ask("SELECT count(*), count(DISTINCT path) FROM datasets_image") == (IMAGES, IMAGES)
        assert ask("SELECT count(*), count(DISTINCT image_id) FROM jobs_sample") == (
            IMAGES,
            IMAGES,
        )
        assert ask("SELECT value FROM jobs_counter WHERE key = 'state:unlabeled'") == (IMAGES,)
    assert "are right" in run_command("recount", env=shape)
