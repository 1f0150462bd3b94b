"""Compiling translations without GNU gettext."""

import gettext
import os

import pytest

from labelhub import translations

CATALOG = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: zh_Hans\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Labels"
msgstr "标签"

msgctxt "role"
msgid "Owner"
msgstr "所有者"

msgid "%(number)d image"
msgid_plural "%(number)d images"
msgstr[0] "%(number)d 张图片"

#, fuzzy
msgid "Guessed"
msgstr "猜的"
"""


@pytest.fixture
def catalog(settings, tmp_path):
    """The one `.po` file there is."""
    settings.LOCALE_PATHS = [tmp_path]
    path = tmp_path / "zh_Hans" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(CATALOG)
    return path


def read(catalog) -> gettext.GNUTranslations:
    with catalog.with_suffix(".mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def test_a_catalog_is_compiled_with_contexts_and_plurals(catalog):
    assert translations.compile_all() == [catalog.with_suffix(".mo")]

    found = read(catalog)
    assert found.gettext("Labels") == "标签"
    assert found.pgettext("role", "Owner") == "所有者"
    assert found.ngettext("%(number)d image", "%(number)d images", 2) == "%(number)d 张图片"


def test_a_text_that_was_only_guessed_is_left_out(catalog):
    translations.compile_all()

    assert read(catalog).gettext("Guessed") == "Guessed"


def test_only_what_changed_is_compiled_again(catalog):
    translations.compile_all()
    assert translations.compile_all() == []
    catalog.write_text(CATALOG.replace("标签", "类别"))
    later = catalog.with_suffix(".mo").stat().st_mtime + 1
    os.utime(catalog, (later, later))

    assert translations.compile_all() == [catalog.with_suffix(".mo")]
    assert read(catalog).gettext("Labels") == "类别"


def test_nothing_but_the_two_files_is_left(catalog):
    translations.compile_all()

    assert {path.name for path in catalog.parent.iterdir()} == {"django.po", "django.mo"}
