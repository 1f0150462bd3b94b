"""What the model server adds to a prediction, and how many images it predicts in a second.

    python bench/model_server.py [--model-dir data/models] [--rounds 40] [--processes 0]

One 1080p JPEG goes through HTTP and, in turn, through the bare predictor (decode, resize, predict
by the same functions, in a process of its own). Prints medians and their ratio: times vary with the
machine, the ratio less so, as long as nothing else runs on it. The figure to reach is 1.5.
"""

import argparse
import io
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

WIDTH, HEIGHT = 1920, 1080
BATCHES = (1, 8, 16, 64)


def photo() -> bytes:
    """A JPEG of 1080p with detail at every scale and sensor noise, as large as a camera's."""
    random = np.random.default_rng(0)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for cells, strength in ((4, 70), (16, 40), (64, 20), (256, 10)):
        grid = random.integers(0, 256, (cells, cells * 2, 3), np.uint8)
        layer = Image.fromarray(grid).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        picture += (np.asarray(layer, np.float32) - 128) * (strength / 128)
    picture += 128 + random.normal(0, 4, picture.shape)
    buffer = io.BytesIO()
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def bare_predictor(link: Connection, path: Path, image: bytes) -> None:
    """Sends the seconds of one prediction for every word that it receives."""
    import cv2
    import paddle

    from inference.server.classifier import Classifier

    paddle.disable_signal_handler()
    cv2.setNumThreads(1)
    classifier = Classifier(path, numeric_mode="fp32", max_pixels=100_000_000)
    link.send("ready")
    with suppress(EOFError):
        while link.recv():
            start = time.perf_counter()
            classifier.read(image, 0)
            classifier.top(classifier.scores(1)[0], 5)
            link.send(time.perf_counter() - start)


@contextmanager
def bare(path: Path, image: bytes):
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=bare_predictor, args=(theirs, path, image))
    process.start()
    ours.recv()

    def seconds() -> float:
        ours.send("go")
        return ours.recv()

    yield seconds
    ours.send("")
    process.join()


@contextmanager
def server(model_dir: Path, processes: int):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "inference.server", "--port", str(port)]
    command += ["--model-dir", str(model_dir), "--processes", str(processes)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as http:
        while not is_ready(http):
            time.sleep(0.1)
        yield http
    process.terminate()
    process.wait()


def is_ready(http: httpx.Client) -> bool:
    try:
        processes = http.get("/health").json()["processes"]
    except httpx.ConnectError:
        return False
    return all(process["state"] == "ready" for process in processes)


def through_http(http: httpx.Client, name: str, image: bytes) -> float:
    start = time.perf_counter()
    response = http.post(f"/{name}/classify", content=image, headers={"Content-Type": "image/jpeg"})
    seconds = time.perf_counter() - start
    response.raise_for_status()
    return seconds


def images_per_second(
    http: httpx.Client, name: str, image: bytes, batch: int, rounds: int
) -> float:
    files = [("image", ("photo.jpg", image))] * batch
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        http.post(f"/{name}/classify", files=files).raise_for_status()
        seconds.append(time.perf_counter() - start)
    return batch / statistics.median(seconds)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-dir", type=Path, default=REPOSITORY / "data/models")
    parser.add_argument("--model", default="PPLCNetV2")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--processes", type=int, default=0, help="0: as many as cores")
    given = parser.parse_args()
    if not (given.model_dir / given.model).is_dir():
        sys.exit(f"{given.model_dir / given.model} is missing (python manage.py fetch_model)")
    image = photo()
    print(f"{len(os.sched_getaffinity(0))} cores, {processor()}, load {os.getloadavg()[0]:.1f}")
    print(f"{given.model}, {WIDTH} x {HEIGHT} JPEG of {len(image) / 1000:.0f} kB")

    model_dir = given.model_dir.resolve()
    with server(model_dir, given.processes) as http, bare(model_dir / given.model, image) as alone:
        pairs = [(through_http(http, given.model, image), alone()) for _ in range(given.rounds + 3)]
        over_http, by_itself = (statistics.median(times) for times in zip(*pairs[3:], strict=True))
        print(f"through HTTP    {over_http * 1000:7.1f} ms")
        print(f"bare predictor  {by_itself * 1000:7.1f} ms")
        print(f"ratio           {over_http / by_itself:7.2f}")
        for batch in BATCHES:
            rate = images_per_second(http, given.model, image, batch, rounds=5)
            print(f"batches of {batch:2}   {rate:7.1f} images/s")


if __name__ == "__main__":
    main()
