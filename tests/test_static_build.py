"""Static files are collected when one of them changed, and else left alone."""

import os

import pytest
from django.core.files.storage import FileSystemStorage

from labelhub import static_build


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
