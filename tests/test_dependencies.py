"""What is installed is what is pinned, and it fits together."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs

REPOSITORY = Path(__file__).resolve().parent.parent
PINNED = ("requirements.txt", "requirements-dev.txt", "requirements-paddleclas.txt")
LARGEST = 1_500_000  # bytes


def requirements(name: str) -> list[str]:
    """One line for each requirement, with its hashes."""
    text = (REPOSITORY / name).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if re.match(r"\w", line)]


def project(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


@pytest.mark.parametrize("name", PINNED)
def test_every_requirement_has_one_version_and_its_hashes(name):
    assert requirements(name)
    for line in requirements(name):
        assert re.match(r"[\w.\[\],-]+==[\w.]+ ", line), line
        assert "--hash=sha256:" in line, line


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_everything_that_is_asked_for_is_pinned(name):
    pinned = {project(line) for line in requirements(f"{name}.txt")}

    assert {project(line) for line in requirements(f"{name}.in")} <= pinned


def test_both_lists_agree_on_what_they_share():
    versions = {}
    for name in PINNED:
        for line in requirements(name):
            found = line.split(" ")[0].split("==")[1]
            versions.setdefault((project(line), _marker(line)), set()).add(found)

    assert {key: found for key, found in versions.items() if len(found) > 1} == {}


def _marker(requirement: str) -> str:
    return requirement.partition(";")[2].partition("--hash")[0].strip()


def test_the_first_list_names_both_paddle_packages_and_how_they_are_installed():
    text = (REPOSITORY / "requirements.txt").read_text()

    assert re.search(r"^paddlepaddle==", text, re.MULTILINE)
    assert "PaddleClas 2.6.0" in text
    assert "pip install --require-hashes --no-deps -r requirements-paddleclas.txt" in text


def test_what_is_installed_fits_together_but_for_the_pins_of_paddleclas():
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)

    complaints = checked.stdout.splitlines()
    assert [line for line in complaints if not line.startswith("paddleclas 2.6.0 ")] == [] or (
        complaints == ["No broken requirements found."]
    )


def test_nothing_large_and_nothing_downloaded_is_kept_in_the_repository():
    if not (REPOSITORY / ".git").exists():
        needs.not_here("this copy of the code is no Git repository")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]

    assert [path for path in paths if path.is_file() and path.stat().st_size > LARGEST] == []
    assert [path for path in paths if path.suffix in {".whl", ".tar", ".sqlite3", ".mo"}] == []
