"""A real model server for tests: `python -m inference.server`, in a process group of its own."""

import base64
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.services.processes import Process, free_port

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
DIGITS_DIR = FIXTURES / "digits"
DIGITS = "Digits"


class ModelServer:
    """Started on creation and ready when `ready` returns; `http` speaks to it."""

    def __init__(
        self, model_dir: Path, *options: object, log: Path, env: dict[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "inference.server", "--port", self.port]
        self.process = Process([*command, "--model-dir", model_dir, *options], log=log, env=env)
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def ready(self) -> "ModelServer":
        self.until(lambda: self.states() == {"ready"}, what="All prediction processes are ready")
        return self

    def until(self, condition, *, what: str) -> None:
        self.process.wait_until(condition, seconds=60, what=what)

    def health(self) -> dict:
        """Empty as long as the server does not answer."""
        try:
            return self.http.get("/health").json()
        except httpx.TransportError:
            return {}

    def states(self) -> set[str]:
        return {process["state"] for process in self.health().get("processes", [])}

    def pids(self) -> list[int]:
        return [process["pid"] for process in self.health()["processes"]]

    def load(self, model: str = DIGITS) -> httpx.Response:
        return self.http.post(f"/{model}/load", json={"init_params": {}})

    def predict(self, image: bytes, model: str = DIGITS, **more: object) -> httpx.Response:
        body = {"img": base64.b64encode(image).decode(), "format": "b64", **more}
        return self.http.post(f"/{model}/predict", json=body)

    def classify(self, image: bytes, model: str = DIGITS, *, top_k: int = 5) -> httpx.Response:
        return self.http.post(
            f"/{model}/classify?top_k={top_k}",
            content=image,
            headers={"Content-Type": "application/octet-stream"},
        )

    def classify_batch(self, images: Sequence[bytes], model: str = DIGITS) -> httpx.Response:
        files = [("image", (f"{number}.png", image)) for number, image in enumerate(images)]
        return self.http.post(f"/{model}/classify", files=files)

    def best(self, image: bytes, model: str = DIGITS) -> tuple[str, float]:
        """Label and score of the best answer."""
        response = self.classify(image, model, top_k=1)
        assert response.status_code == 200, response.text
        [label] = response.json()["results"][0]["labels"]
        return label["label_name"], label["score"]

    def stop_cleanly(self) -> int:
        """Its exit code after SIGTERM; takes 1 s when a request is under way."""
        return self.process.stop(seconds=10)

    def stop(self) -> None:
        self.http.close()
        self.process.kill()
