"""Real services as fixtures. One that the machine lacks skips the test that asks for it."""

import os
import urllib.error
from itertools import count

import pytest
from django.conf import settings

from tests import needs
from tests.services import postgres, redis, s3, smtp
from tests.services.processes import Process, free_port, manage
from tests.services.web import WITHOUT_PROXY, Web, collect_static, environment

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_cluster():
    """The address of a PostgreSQL cluster: the one of `make test`, or one of our own."""
    if url := os.environ.get("LABELHUB_TEST_POSTGRES"):
        yield url
        return
    with postgres.cluster() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_cluster):
    """The address of an empty database."""
    with postgres.database(postgres_cluster, f"test_{os.getpid()}_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def redis_server():
    with redis.server() as url:
        yield url


@pytest.fixture
def smtp_server():
    with smtp.server() as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def ceph():
    """A Ceph that all tests of this process share."""
    with s3.ceph() as server:
        yield server


@pytest.fixture(scope="session")
def rclone():
    with s3.rclone() as server:
        yield server


@pytest.fixture(scope="session")
def other_s3():
    """The server that LABELHUB_TEST_S3_ENDPOINT names."""
    with s3.from_environment() as server:
        yield server


@pytest.fixture(params=s3.SERVERS)
def s3_server(request) -> s3.S3Server:
    """Each S3 server in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def model_server_port() -> int:
    """Where the live web process looks for a model server; nobody listens until one is started."""
    return free_port()


@pytest.fixture(scope="session")
def live_web(django_db_setup, tmp_path_factory, model_server_port):  # noqa: ARG001
    """The web process that browser tests share; with `live` a test gets it with its database."""
    collect_static()
    web = Web(
        log=tmp_path_factory.mktemp("web") / "log",
        model_server_port=model_server_port,
        # The S3 servers of the tests.
        env={"LABELHUB_STORAGE_ADDRESSES": "127.0.0.1"},
    )
    web.start()
    yield web
    web.stop()


@pytest.fixture
def live(live_web, transactional_db):  # noqa: ARG001
    """The web process; what the test makes through the ORM is there for it, and the reverse."""
    return live_web


@pytest.fixture
def live_model_server(model_server_port, tmp_path_factory):
    """The model server with the real weights, where the live web process looks for it; other
    tests find nobody there."""
    folder = needs.weights()
    env = environment(
        LABELHUB_MODEL_SERVER_PORT=str(model_server_port),
        LABELHUB_MODEL_DIR=str(folder),
        LABELHUB_MODEL_PROCESSES="1",
    )
    log = tmp_path_factory.mktemp("model-server") / "log"
    process = Process(manage("modelserver"), log=log, env=env)
    url = f"http://127.0.0.1:{model_server_port}"

    def runs() -> bool:
        try:
            with WITHOUT_PROXY.open(f"{url}/running", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    try:
        process.wait_until(runs, seconds=60, what="The model server answers")
        yield url
    finally:
        process.stop()


@pytest.fixture
def image_root():
    """A folder that jobs may take images from."""
    return settings.IMAGE_ROOTS[0]
