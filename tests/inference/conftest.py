"""Model servers: one with the digits for every module that reads from it, others made to order."""

import pytest

from inference.server import digits
from tests.inference.model_server import DIGITS_DIR, ModelServer


@pytest.fixture(scope="session")
def digits_server(tmp_path_factory):
    """Two prediction processes with the small model. Tests may kill a process: it is replaced."""
    log = tmp_path_factory.mktemp("digits-server") / "log"
    server = ModelServer(DIGITS_DIR, "--processes", 2, log=log)
    yield server.ready()
    server.stop()


@pytest.fixture
def start_server(tmp_path):
    """Starts a server with options of its own, which ends with the test."""
    started = []

    def start(*arguments: object, env: dict[str, str] | None = None) -> ModelServer:
        log = tmp_path / f"log-{len(started)}"
        started.append(ModelServer(*arguments, log=log, env=env))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def held_out() -> list[tuple[bytes, str]]:
    """360 pictures that the small model was not trained on, with what they show."""
    _, pictures, _, values = digits.split()
    return [
        (digits.as_png(picture), str(value))
        for picture, value in zip(pictures, values, strict=True)
    ]
