"""The labeling description: safe whatever is written in it, and shown until it was seen."""

import io
import shutil
from html.parser import HTMLParser

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from jobs.description import pictures
from jobs.description.rendering import render_description
from jobs.description.services import describe_job, is_new, note_seen, rename_job
from labelhub.errors import DomainError
from tests import make

pytestmark = pytest.mark.django_db
NAME = "0123456789abcdef.webp"


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob)
    # A database that is rolled back gives the same numbers again.
    shutil.rmtree(pictures.folder_of(job), ignore_errors=True)
    return job


def html(text: str) -> str:
    return render_description(text, job_id=1).html


class Elements(HTMLParser):
    """The elements that a browser would make of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


# Rendering ---------------------------------------------------------------------------------------
def test_markdown_is_rendered_under_the_headings_of_the_page():
    shown = html(
        "# Cats\n\nOnly **whole** ones.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )

    for part in ("<h3>Cats</h3>", "<strong>whole</strong>", "<li>two</li>", "<td>2</td>"):
        assert part in shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        '[x](http://a.b "\\" onmouseover=alert(1) x=\\"")',
        "<svg/onload=alert(1)>",
        "[x](vbscript:x)",
        "<a href='javascript:alert(1)'>x</a>",
        "```\n<script>\n```",
        "<style>body{display:none}</style>",
        "<iframe src=//evil.example></iframe>",
        '<form action=//evil.example><input name="p">',
    ],
)
def test_nothing_in_it_runs_or_poses_as_part_of_the_page(text):
    read = Elements()
    read.feed(html(text))

    for tag, attributes in read.found:
        assert tag in {"p", "a", "pre", "code"}
        assert attributes.keys() <= {"href", "title", "rel", "target"}
        assert attributes.get("href", "http://").startswith("http://")


def test_links_open_elsewhere_and_tell_nothing():
    shown = html("[rules](https://example.org/rules)")

    assert 'href="https://example.org/rules"' in shown
    assert 'rel="noopener noreferrer nofollow"' in shown
    assert 'target="_blank"' in shown


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/a.png",
        "//example.org/a.png",
        "data:image/png;base64,AAAA",
        f"/jobs/2/description/pictures/{NAME}/",
        "pictures/../../secret.webp",
        f"pictures/{NAME}?x",
        "pictures/a.svg",
    ],
)
def test_pictures_from_elsewhere_are_left_out_and_counted(source):
    shown = render_description(f"See ![a cat]({source}).", job_id=1)

    assert "<img" not in shown.html
    assert "a cat" in shown.html
    assert shown.left_out == 1


def test_pictures_of_the_job_are_shown():
    shown = render_description(f"![a cat](pictures/{NAME})", job_id=1)

    assert f'src="/jobs/1/description/pictures/{NAME}/"' in shown.html
    assert 'alt="a cat"' in shown.html
    assert shown.left_out == 0


# Seen --------------------------------------------------------------------------------------------
def test_a_description_opens_by_itself_until_it_was_seen_and_again_when_it_changed(job, alice, bob):
    client, page = make.client(bob), reverse("job", args=[job.pk])
    opens = f'hx-post="{reverse("description_seen", args=[job.pk])}"'
    assert opens not in client.get(page).content.decode()

    describe_job(make.membership(job, alice), "Only **whole** cats.")
    assert opens in client.get(page).content.decode()
    assert opens not in make.client(alice).get(page).content.decode()

    seen = client.post(reverse("description_seen", args=[job.pk]), headers={"HX-Request": "true"})
    assert "<strong>whole</strong>" in seen.content.decode()
    assert opens not in client.get(page).content.decode()

    describe_job(make.membership(job, alice), "Halves too.")
    assert opens in client.get(page).content.decode()


def test_a_description_that_stays_the_same_is_not_new(job, alice, bob):
    describe_job(make.membership(job, alice), "Cats.")
    member = make.membership(job, bob)
    note_seen(member)

    describe_job(make.membership(job, alice), "  Cats.\r\n")

    assert not is_new(make.membership(job, bob))


def test_a_description_without_a_date_is_shown_once(job, bob):
    job.instructions = "From before."
    job.save()
    member = make.membership(job, bob)
    assert is_new(member)

    member.instructions_seen_at = timezone.now()

    assert not is_new(member)


def test_who_labels_neither_renames_nor_describes(job, bob):
    for forbidden in (rename_job, describe_job):
        with pytest.raises(PermissionDenied):
            forbidden(make.membership(job, bob), "Mine")


def test_settings_rename_the_job_and_write_its_description(job, alice):
    client, page = make.client(alice), reverse("job_settings", args=[job.pk])

    saved = client.post(page, {"name": " Beasts  of prey ", "instructions": "Look."})
    refused = client.post(page, {"name": " ", "instructions": "Lost?"})

    job.refresh_from_db()
    assert (saved.status_code, refused.status_code) == (302, 422)
    assert (job.name, job.instructions) == ("Beasts of prey", "Look.")
    assert "Lost?" in refused.content.decode()


def test_the_api_reads_and_writes_the_description(job, alice):
    client, path = make.client(alice), reverse("api_instructions", args=[job.pk])

    written = client.put(path, {"text": "# Look"}, content_type="application/json")

    assert written.json()["html"] == "<h3>Look</h3>\n"
    assert client.get(path).json()["text"] == "# Look"


# Pictures ----------------------------------------------------------------------------------------
def upload(content: bytes, name: str = "a.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_a_picture_is_drawn_anew_and_made_smaller(job):
    name = pictures.keep(job, upload(make.picture(size=(3_000, 1_000), kind="PNG")))

    with Image.open(io.BytesIO(pictures.read(job, name))) as kept:
        assert (kept.format, kept.size) == ("WEBP", (1_600, 533))
        assert not kept.getexif()


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"GIF89a broken"])
def test_what_is_no_picture_is_refused(job, content):
    with pytest.raises(DomainError):
        pictures.keep(job, upload(content))

    assert pictures.names(job) == []


def test_a_picture_that_is_too_large_is_refused(job, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_BYTES", 100)

    with pytest.raises(DomainError):
        pictures.keep(job, upload(make.picture()))


def test_there_is_an_end_to_the_number_of_pictures(job, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PICTURES", 1)
    pictures.keep(job, upload(make.picture()))

    with pytest.raises(DomainError) as refused:
        pictures.keep(job, upload(make.picture(size=(8, 8))))

    assert refused.value.code == "too_many"


def test_pictures_are_served_to_members_alone(job, bob, dan):
    name = pictures.keep(job, upload(make.picture()))
    address = reverse("description_picture", args=[job.pk, name])

    served = make.client(bob).get(address)

    assert (served.status_code, served["Content-Type"]) == (200, "image/webp")
    assert make.client(dan).get(address).status_code == 404


@pytest.mark.parametrize("name", ["secret.webp", "..", "0123456789abcdef.png", "%2e%2e%2fsecret"])
def test_only_pictures_can_be_asked_for(job, alice, name):
    pictures.folder_of(job).mkdir(parents=True, exist_ok=True)
    (pictures.folder_of(job) / "secret.webp").write_text("no picture")

    address = f"/jobs/{job.pk}/description/pictures/{name}/"

    assert make.client(alice).get(address).status_code == 404


def test_a_picture_that_the_text_shows_cannot_be_removed_by_its_button(job, alice):
    name = pictures.keep(job, upload(make.picture()))
    describe_job(make.membership(job, alice), f"![](pictures/{name})")

    page = make.client(alice).get(reverse("job_settings", args=[job.pk])).content.decode()

    assert "The text shows it" in page
