import re

import pytest

from datasets import problems
from datasets.archives import ArchiveLimits
from datasets.pixels import Limits

PACKAGE = ("archives.py", "pixels/*.py", "storages/*.py", "uploads.py")


@pytest.mark.parametrize("code", sorted(problems.codes()))
def test_every_code_has_words_that_say_what_happened(code):
    text = problems.describe(code, {"item": "a/cat.jpg"})

    assert text.startswith("a/cat.jpg: ")
    assert text.endswith((".", "…"))
    assert "%" not in text


def test_every_code_that_is_raised_has_words(request):
    folder = request.config.rootpath / "datasets"
    used = set()
    for path in (path for pattern in PACKAGE for path in folder.glob(pattern)):
        # Whatever is written like a code is one: "empty-file".
        used |= set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', path.read_text()))

    assert len(used) > 30
    # An encoding, a region and a header are written in the same way.
    assert used - problems.codes() <= {"utf-8", "us-east-1", "x-amz-bucket-region"}


def test_names_that_no_database_holds_can_be_shown():
    text = problems.describe("empty-file", {"item": "caf\udce9.jpg"})

    assert text.encode().startswith(rb"caf\xe9.jpg: ")


def test_an_unknown_code_is_shown_as_it_is():
    assert problems.describe("from-the-future") == "from-the-future"


def test_a_percent_sign_in_a_name_is_only_that():
    assert problems.describe("missing", {"item": "100%(item)s.jpg"}).startswith("100%(item)s.jpg")


def test_limits_are_those_that_the_product_promises():
    assert (Limits().max_bytes, Limits().max_pixels) == (25_000_000, 100_000_000)
    assert ArchiveLimits().max_member_bytes == Limits().max_bytes
