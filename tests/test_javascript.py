"""The tests of the JavaScript modules, by Node's own test runner."""

import shutil
import subprocess

from tests import needs

FOLDERS = ("static/js", "tests/js")


def test_the_modules_behave(tmp_path):
    """In a copy: Node 18 takes `.js` for a module only where a package.json says so, and the
    repository is no Node package."""
    for folder in FOLDERS:
        shutil.copytree(needs.REPOSITORY / folder, tmp_path / folder)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    files = sorted((tmp_path / "tests" / "js").glob("*.test.mjs"))
    assert files

    done = subprocess.run(
        [needs.node(), "--test", *files], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
