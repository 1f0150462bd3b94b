"""Static files: our modules and styles under hashed names, and the one foreign script, htmx."""

import re
from pathlib import Path

import django_htmx
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from rjsmin import jsmin
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Of our own modules, as they are served for ever. What they are made from stays whole.
HASHED_MODULE = re.compile(r"js/[^/]+\.[0-9a-f]{12}\.js")


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import … from "./x.js";` to the hashed name, so modules are cached for ever, and
    takes comments and space out of them: two fifths of their bytes."""

    support_js_module_import_aggregation = True

    def _save(self, name, content):
        if HASHED_MODULE.fullmatch(name):
            content.seek(0)
            content = ContentFile(jsmin(content.read().decode()).encode())
        return super()._save(name, content)


class HtmxFinder(BaseFinder):
    """Serves htmx from the installed django-htmx package and nothing else of it.

    With `django_htmx` in INSTALLED_APPS, Django 5.2 trips over an `import(…)` in a comment of
    another of its files while it rewrites modules (ticket 34322).
    """

    file = "htmx-2.min.js"
    prefix = "htmx"

    def __init__(self, app_names=None, *args, **kwargs) -> None:  # noqa: ARG002
        folder = Path(django_htmx.__file__).parent / "static" / "django_htmx"
        self.storage = FileSystemStorage(location=folder)
        self.storage.prefix = self.prefix

    def check(self, **kwargs) -> list:  # noqa: ARG002
        return []

    def find(self, path: str, find_all: bool = False, **kwargs):  # noqa: ARG002
        found = self.storage.path(self.file) if path == f"{self.prefix}/{self.file}" else None
        if find_all:
            return [found] if found else []
        return found

    def list(self, ignore_patterns):
        if not matches_patterns(self.file, ignore_patterns or []):
            yield self.file, self.storage
