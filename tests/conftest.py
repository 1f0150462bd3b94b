"""Fixtures for all tests: the cast, a clean cache, and the real services where a test asks."""

import pytest
from django.core.cache import cache
from django.utils import translation

from labelhub import translations
from tests import people

pytest_plugins = ("tests.closing_list", "tests.services.fixtures", "tests.browser_pages")


def pytest_configure() -> None:
    translations.compile_all()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One browser and one web process serve all browser tests: they stay in one test process.

    They come last: their web process works on whatever runs there are, also on those of tests that
    kill a worker in the middle.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _nothing_left_of_other_tests():
    """A request leaves its language behind, in this thread."""
    cache.clear()
    translation.deactivate()


@pytest.fixture
def alice(db):  # noqa: ARG001
    return people.alice()


@pytest.fixture
def bob(db):  # noqa: ARG001
    return people.bob()


@pytest.fixture
def carol(db):  # noqa: ARG001
    return people.carol()


@pytest.fixture
def dan(db):  # noqa: ARG001
    return people.dan()
