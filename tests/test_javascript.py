"""The tests of the JavaScript modules, by Node's own test runner."""

import re
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


def test_modules_import_only_what_others_export():
    """A browser finds out when the page is opened, and then runs none of it."""
    scripts = {path.name: path.read_text() for path in (needs.REPOSITORY / "static/js").iterdir()}
    exported = {
        name: set(re.findall(r"export (?:async )?(?:function|const|let|class) (\w+)", text))
        for name, text in scripts.items()
    }
    lacking = [
        f"{name}: {one.strip()} of {other}"
        for name, text in scripts.items()
        for names, other in re.findall(r'import \{([^}]*)\} from "\./(\w+\.js)"', text)
        for one in names.split(",")
        if one.strip() and one.strip() not in exported.get(other, set())
    ]

    assert len(scripts) > 20
    assert lacking == []
