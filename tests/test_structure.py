"""The shape of the code, read from its import statements.

annotators, runs <- datasets <- jobs <- labels <- inference: an arrow points at what may import.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
LEVELS = {"annotators": 0, "runs": 0, "datasets": 1, "jobs": 2, "labels": 3, "inference": 4}
# Of the project itself, what every app may use: it knows nothing of any app.
FOUNDATION = {"labelhub.live", "labelhub.errors", "labelhub.env", "labelhub.settings"}
# What faces people and the outside. It may use everything below, of any app.
FACE = {
    "admin",
    "api",
    "consumers",
    "filter_chips",
    "forms",
    "jinja",
    "management",
    "pages",
    "panel",
    "surfaces",
    "templatetags",
    "tiles",
    "urls",
    "views",
    "widgets",
}
# Can be used, and tested, without a database.
WITHOUT_ORM = ("datasets.storages", "datasets.formats", "annotators.roles", "inference.server")
PADDLE = {"paddle", "paddleclas"}
SAYS_NOTHING = {"utils", "helpers", "common", "manager", "misc"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the product, by its name with dots."""
    found = {}
    for app in (*LEVELS, "labelhub"):
        for path in (REPOSITORY / app).rglob("*.py"):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            if "migrations" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """The modules that a module imports, wherever in its text."""
    found = set()
    for node in ast.walk(ast.parse(modules()[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {_module(f"{node.module}.{alias.name}", node.module) for alias in node.names}
    return frozenset(found)


def _module(name: str, parent: str) -> str:
    """`from a import b` names the module a.b, or b in the module a."""
    return name if name in modules() or parent not in modules() else parent


def is_face(module: str) -> bool:
    return not FACE.isdisjoint(module.split(".")[1:])


def below_the_face() -> Iterator[str]:
    return (name for name in modules() if name.split(".")[0] in LEVELS and not is_face(name))


def test_the_code_is_found():
    assert {"jobs.selection", "labels.services", "inference.server.main"} <= modules().keys()
    assert "runs.engine" in imports("jobs.services")


def test_apps_import_only_what_lies_below_them():
    wrong = []
    for module in below_the_face():
        app = module.split(".")[0]
        for other in imports(module):
            top = other.split(".")[0]
            if top in LEVELS and top != app and LEVELS[top] >= LEVELS[app]:
                wrong.append(f"{module} imports {other}")
    assert wrong == []


def test_what_lies_below_imports_no_face():
    wrong = [
        f"{module} imports {other}"
        for module in below_the_face()
        for other in imports(module)
        if other in modules() and is_face(other)
    ]
    assert wrong == []


def test_apps_use_only_the_foundation_of_the_project():
    wrong = [
        f"{module} imports {other}"
        for module in below_the_face()
        for other in imports(module)
        if other.startswith("labelhub.") and other not in FOUNDATION
    ]
    assert wrong == []


def test_the_foundation_knows_no_app():
    known = {other.split(".")[0] for module in FOUNDATION for other in imports(module)}

    assert known.isdisjoint(LEVELS)


def test_views_are_imported_by_addresses_alone():
    importers = {
        module
        for module in modules()
        for other in imports(module)
        if other in modules() and "views" in other.split(".")
    }

    assert {module for module in importers if not module.endswith(".urls")} == set()


@pytest.mark.parametrize("package", WITHOUT_ORM)
def test_works_without_a_database(package):
    waiting = [name for name in modules() if name == package or name.startswith(f"{package}.")]
    assert waiting
    seen = set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        used = imports(module)
        assert not any(f"{name}.".startswith("django.db.") for name in used), module
        assert not any(name.endswith(".models") for name in used), module
        waiting += [name for name in used if name in modules() and name not in seen]


def test_only_the_model_server_imports_paddle():
    importers = {
        module for module in modules() for other in imports(module) if other.split(".")[0] in PADDLE
    }

    assert importers
    assert {name for name in importers if not name.startswith("inference.server.")} == set()


def test_names_of_modules_say_what_is_in_them():
    assert {name for name in modules() if name.split(".")[-1] in SAYS_NOTHING} == set()


def test_folders_of_tests_are_packages():
    """Else two tests files of one name would be taken for each other."""
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("test_*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
