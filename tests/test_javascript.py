"""The tests of the JavaScript modules, by Node's own test runner."""

import subprocess

from tests import needs

FOLDER = needs.REPOSITORY / "tests" / "js"


def test_the_modules_behave():
    files = sorted(FOLDER.glob("*.test.mjs"))
    assert files

    done = subprocess.run(
        [needs.node(), "--test", *files], cwd=FOLDER, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
