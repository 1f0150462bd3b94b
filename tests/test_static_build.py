"""Static files are collected when one of them changed, and else left alone; what is served then."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.test import override_settings

from labelhub import settings as served_settings
from labelhub import static_build
from labelhub.staticfiles import HASHED_MODULE
from tests import needs


class Sources:
    """In the place of the finders: one folder."""

    def __init__(self, folder) -> None:
        self.storage = FileSystemStorage(location=folder)
        self.collected: list[dict] = []

    def list(self, ignore_patterns):  # noqa: ARG002
        _folders, names = self.storage.listdir("")
        return [(name, self.storage) for name in sorted(names)]

    def collect(self, *args, **options) -> None:
        assert args == ("collectstatic",)
        self.collected.append(options)


@pytest.fixture
def sources(settings, tmp_path, monkeypatch):
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STATIC_ROOT.mkdir()
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "page.css").write_text("a {}")
    found = Sources(tmp_path / "sources")
    monkeypatch.setattr(static_build, "get_finders", lambda: [found])
    monkeypatch.setattr(static_build, "call_command", found.collect)
    return found


def test_they_are_collected_once(sources):
    assert static_build.build_if_changed()
    assert not static_build.build_if_changed()

    assert len(sources.collected) == 1


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("change", ["new", "gone", "touched", "grown"])
def test_a_change_of_any_source_collects_them_again(tmp_path, change):
    static_build.build_if_changed()
    page = tmp_path / "sources" / "page.css"
    match change:
        case "new":
            (page.parent / "more.css").write_text("")
        case "gone":
            page.unlink()
        case "touched":
            os.utime(page, (1, 1))
        case "grown":
            page.write_text("a { color: red }")

    assert static_build.build_if_changed()


def test_a_collection_that_failed_is_made_again(sources, monkeypatch):
    def fail(*args, **options):  # noqa: ARG001
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(static_build, "call_command", fail)
        with pytest.raises(OSError, match="full"):
            static_build.build_if_changed()

    assert static_build.build_if_changed()
    assert len(sources.collected) == 1


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Path:
    """The modules as a server has them: hashed names, without comments and space."""
    root = tmp_path_factory.mktemp("served")
    with override_settings(STATIC_ROOT=root, STORAGES=served_settings.STORAGES):
        call_command("collectstatic", interactive=False, verbosity=0)
    (root / "package.json").write_text('{"type": "module"}')
    return root / "js"


def _hashed(folder: Path, name: str) -> Path:
    names = [one for one in os.listdir(folder) if one.startswith(f"{name}.")]
    (found,) = (one for one in names if HASHED_MODULE.fullmatch(f"js/{one}"))
    return folder / found


def _imported(module: Path, found: set[Path]) -> set[Path]:
    """The module and what it imports at once, not what it brings when it is needed."""
    if module not in found:
        found.add(module)
        for name in re.findall(r'(?:import|from)\s*"\./([^"]+)"', module.read_text()):
            _imported(module.parent / name, found)
    return found


def test_the_work_surface_begins_with_at_most_80_kb_of_scripts(served):
    found: set[Path] = set()
    for name in ("workspace", "filters", "page"):
        _imported(_hashed(served, name), found)

    assert {one.name.partition(".")[0] for one in found} >= {"grid", "selection", "live", "toast"}
    assert sum(one.stat().st_size for one in found) <= 80_000


def test_what_is_served_of_a_module_is_the_module(served):
    """Comments and space are gone, imports lead to hashed names, and it still runs."""
    module = _hashed(served, "selection")
    script = f'import {{ only, request }} from "{module}";'
    script += "console.log(JSON.stringify(request(only(3))));"

    said = subprocess.run(
        [needs.node(), "--input-type=module", "-e", script], capture_output=True, text=True
    )

    assert said.stdout.strip() == '{"ids":[3]}', said.stderr
    assert "/**" not in module.read_text()
    assert re.search(r'from"\./find\.[0-9a-f]{12}\.js"', _hashed(served, "grid").read_text())
