"""Originals: part by part, only to those who lack them, and from the storage itself where that can
be reached."""

import io
import os
import secrets
import shutil
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils.http import http_date
from PIL import Image as Picture

from datasets.models import Image, StorageKind
from datasets.secrets import Secret
from datasets.storages.local import LocalStorage
from datasets.storages.s3_connection import Keys
from datasets.thumbnail_runs import start_thumbnails
from datasets.thumbnails import Size, content_key
from jobs import originals, streams
from labelhub import env
from tests import make
from tests.datasets.pictures import noise, saved
from tests.services import s3

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]

MODIFIED = int(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC).timestamp())
ORIGIN = "https://store.example.com"


@pytest.fixture
def photo(alice):
    # Numbers of rows come again in each test, and with them the names of kept thumbnails.
    shutil.rmtree(settings.DATA_DIR / "thumbnails", ignore_errors=True)
    (sample,) = make.images(make.job(owner=alice), 1)
    path = make.folder_of(sample.job) / sample.path
    path.write_bytes(saved(noise(), "JPEG"))
    os.utime(path, (MODIFIED, MODIFIED))
    Image.objects.update(is_plain=True, size=path.stat().st_size)
    return sample


@pytest.fixture
def content(photo) -> bytes:
    return (make.folder_of(photo.job) / photo.path).read_bytes()


@pytest.fixture
def fetch(photo, alice):
    client = make.client(alice)

    def fetch(method: str = "get", **headers: str):
        return getattr(client, method)(address_of(photo), headers=headers)

    return fetch


def address_of(sample, query: str = "") -> str:
    return reverse("image", args=[sample.job_id, sample.pk]) + query


def body(response) -> bytes:
    return b"".join(response)


def test_the_whole_original_is_sent_as_it_is(fetch, content):
    response = fetch()

    assert response.status_code == 200
    assert body(response) == content
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(len(content))
    assert response["Accept-Ranges"] == "bytes"
    assert response["Last-Modified"] == http_date(MODIFIED)
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=100-", 100, None),
        ("bytes=100-99999999", 100, None),
        ("bytes=-7", -7, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_a_part_is_sent_alone(asked, start, end, fetch, content):
    response = fetch(Range=asked)

    part = content[start:end]
    begin = start % len(content) if start < 0 else start
    assert response.status_code == 206
    assert body(response) == part
    assert response["Content-Length"] == str(len(part))
    assert response["Content-Range"] == f"bytes {begin}-{begin + len(part) - 1}/{len(content)}"


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-99999999", "bytes=-0"])
def test_a_part_behind_the_end_is_refused_with_the_size(asked, fetch, content):
    response = fetch(Range=asked)

    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(content)}"
    assert response.content == b""


def test_a_refusal_is_not_kept(photo, alice):
    address = address_of(photo, f"?v={content_key(photo.image)}")
    client = make.client(alice)

    assert "immutable" in client.get(address)["Cache-Control"]
    refused = client.get(address, headers={"Range": "bytes=99999999-"})

    assert refused.status_code == 416
    assert "immutable" not in refused["Cache-Control"]


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,4-5", f"bytes={'9' * 5000}-"],
)
def test_what_is_no_single_part_gets_everything(asked, fetch, content):
    response = fetch(Range=asked)

    assert response.status_code == 200
    assert body(response) == content


def test_a_part_of_what_has_changed_is_everything(fetch, content):
    etag, modified = fetch()["ETag"], http_date(MODIFIED)

    for still in (etag, modified):
        assert fetch(Range="bytes=0-3", **{"If-Range": still}).status_code == 206
    for other in ('"other"', f"W/{etag}", http_date(MODIFIED - 60), "nonsense"):
        response = fetch(Range="bytes=0-3", **{"If-Range": other})
        assert response.status_code == 200
        assert body(response) == content


def test_who_has_it_is_told_so(fetch):
    etag = fetch()["ETag"]

    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"x", W/{etag}'},
        {"If-Modified-Since": http_date(MODIFIED)},
        {"If-None-Match": etag, "Range": "bytes=0-3"},
    ):
        response = fetch(**headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == etag
    for headers in (
        {"If-None-Match": '"other"'},
        {"If-Modified-Since": http_date(MODIFIED - 60)},
        {"If-None-Match": '"other"', "If-Modified-Since": http_date(MODIFIED)},
    ):
        assert fetch(**headers).status_code == 200
    assert fetch(**{"If-Match": '"other"'}).status_code == 412


def test_a_file_that_was_replaced_has_another_tag_and_its_own_size(photo, fetch):
    before = fetch()["ETag"]
    path = make.folder_of(photo.job) / photo.path
    path.write_bytes(saved(noise(300, 200), "JPEG"))

    response = fetch(**{"If-None-Match": before})

    assert response.status_code == 200
    assert body(response) == path.read_bytes()
    assert response["Content-Length"] == str(path.stat().st_size)


def test_a_question_about_it_opens_nothing(fetch, content, monkeypatch):
    monkeypatch.setattr(LocalStorage, "open", None)

    response = fetch("head")
    part = fetch("head", Range="bytes=0-3")

    for answer in (response, part):
        assert answer.status_code == 200
        assert answer["Content-Length"] == str(len(content))
        assert answer.content == b""
    assert response["Content-Type"] == "image/jpeg"


def test_it_is_read_block_by_block_and_closed(fetch, content, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 1_000)
    opened = []
    real = LocalStorage.open

    def noted(self, key, **part):
        opened.append(real(self, key, **part))
        return opened[-1]

    monkeypatch.setattr(LocalStorage, "open", noted)

    response = fetch()
    blocks = list(response)
    response.close()

    assert max(map(len, blocks)) == 1_000
    assert b"".join(blocks) == content
    assert [stream.closed for stream in opened] == [True]


def test_what_nobody_reads_is_closed_too(fetch, monkeypatch):
    opened = []
    real = LocalStorage.open
    monkeypatch.setattr(
        LocalStorage,
        "open",
        lambda self, key, **part: opened.append(real(self, key, **part)) or opened[-1],
    )

    fetch().close()

    assert [stream.closed for stream in opened] == [True]


def test_a_converted_image_has_parts_too(photo, fetch):
    path = make.folder_of(photo.job) / photo.path
    Picture.new("RGB", (400, 300), "teal").save(path, "TIFF")
    Image.objects.update(is_plain=False, etag="of the TIFF", format="TIFF")

    whole = fetch()
    part = fetch(Range="bytes=2-9")

    shown = body(whole)
    assert Picture.open(io.BytesIO(shown)).format == "JPEG"
    assert body(part) == shown[2:10]
    assert fetch(**{"If-None-Match": whole["ETag"]}).status_code == 304


def test_an_animation_is_shown_as_its_first_frame(photo, fetch):
    frames = [Picture.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    path = make.folder_of(photo.job) / photo.path
    path.write_bytes(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    Image.objects.update(is_plain=False, etag="of the GIF", format="GIF")

    picture = Picture.open(io.BytesIO(body(fetch())))

    assert not getattr(picture, "is_animated", False)
    red, green, blue = picture.convert("RGB").getpixel((9, 9))
    assert red > 240
    assert max(green, blue) < 20


# From the storage itself -------------------------------------------------------------------------
@pytest.fixture
def in_bucket(photo):
    """As if it lay in a bucket: signing an address asks nobody."""
    originals._origins.clear()
    storage = photo.image.dataset.storage
    storage.kind, storage.endpoint, storage.bucket = StorageKind.S3, ORIGIN, "photos"
    storage.addressing = "path"
    storage.set_keys(Keys(access_key="AKIA", secret_key=Secret("only for tests")))
    storage.save()
    return photo


def test_browsers_are_sent_to_the_storage_for_a_while(in_bucket, alice):
    response = make.client(alice).get(address_of(in_bucket, "?v=any"))

    assert response.status_code == 302
    assert response.url.startswith(f"{ORIGIN}/photos/{in_bucket.path}?")
    assert f"X-Amz-Expires={originals.ADDRESS_SECONDS}" in response.url
    assert response["Cache-Control"] == f"private, max-age={originals.KEPT_SECONDS}"
    assert originals.KEPT_SECONDS < originals.ADDRESS_SECONDS


def test_people_of_other_teams_get_no_address(in_bucket, dan):
    assert make.client(dan).get(address_of(in_bucket)).status_code == 404


def test_pages_with_originals_allow_their_storage_and_no_other(in_bucket, alice):
    client = make.client(alice)
    pages = [
        reverse("job", args=[in_bucket.job_id]),
        reverse("sample", args=[in_bucket.job_id, in_bucket.pk]),
    ]

    for page in pages:
        policy = client.get(page)["Content-Security-Policy"]
        images = next(part for part in policy.split(";") if part.strip().startswith("img-src"))
        assert images.split() == ["img-src", "'self'", "data:", "blob:", ORIGIN]
    policy = client.get(reverse("job_list"))["Content-Security-Policy"]
    assert ORIGIN not in policy


def test_the_viewer_knows_the_way_through_the_server(in_bucket, alice):
    page = make.client(alice).get(reverse("sample", args=[in_bucket.job_id, in_bucket.pk]))

    key = content_key(in_bucket.image)
    assert page.context["image_url"] == address_of(in_bucket, f"?v={key}")
    assert page.context["stream_url"] == address_of(in_bucket, f"?v={key}&stream=1")
    assert f'data-stream="{page.context["stream_url"]}"'.replace("&", "&amp;") in (
        page.content.decode()
    )


def no_storage_answers(monkeypatch):
    asked = []

    def head(self, key):  # noqa: ARG001
        asked.append(key)
        raise originals.StorageError(key, code="endpoint-unreachable")

    monkeypatch.setattr("datasets.storages.s3.S3Storage.head", head)
    return asked


@pytest.mark.parametrize("reason", ["stream", "no presigning", "https page", "https site"])
def test_it_comes_through_the_server_where_browsers_cannot_go(
    reason, in_bucket, alice, monkeypatch
):
    storage, query, secure = in_bucket.image.dataset.storage, "", False
    if reason == "stream":
        query = "?stream=1"
    elif reason == "no presigning":
        storage.presigns = False
    else:
        storage.endpoint = "http://store.example.com"
        secure = reason == "https page"
        if not secure:
            monkeypatch.setattr(settings, "PUBLIC_URL", "https://labels.example.com")
    storage.save()
    asked = no_storage_answers(monkeypatch)

    response = make.client(alice).get(address_of(in_bucket, query), secure=secure)

    assert response.status_code == 404
    assert "Nothing answers at the endpoint" in response.content.decode()
    assert asked == [in_bucket.image.key]


def test_what_browsers_cannot_show_is_not_sent_to_the_storage(in_bucket, alice, monkeypatch):
    Image.objects.update(is_plain=False)
    monkeypatch.setattr(
        "datasets.storages.s3.S3Storage.open",
        lambda self, key: io.BytesIO(saved(noise(), "TIFF")),  # noqa: ARG005
    )

    response = make.client(alice).get(address_of(in_bucket))

    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"


def test_the_origin_of_a_storage_is_found_once(in_bucket, alice, monkeypatch):
    client, page = make.client(alice), reverse("job", args=[in_bucket.job_id])
    client.get(page)

    def fail(self):  # noqa: ARG001
        raise AssertionError("asked again")

    monkeypatch.setattr("datasets.storages.s3.S3Storage.origin", fail)

    assert ORIGIN in client.get(page)["Content-Security-Policy"]


def test_a_storage_whose_keys_are_lost_costs_no_page(in_bucket, alice):
    storage = in_bucket.image.dataset.storage
    storage.credentials = "cannot be decrypted"
    storage.save()
    client = make.client(alice)

    assert client.get(reverse("job", args=[in_bucket.job_id])).status_code == 200
    page = client.get(reverse("sample", args=[in_bucket.job_id, in_bucket.pk]))
    assert page.context["stream_url"] == ""
    response = client.get(address_of(in_bucket))
    assert response.status_code == 404
    assert "cannot be decrypted" in response.content.decode()


@pytest.fixture
def in_real_bucket(photo, content, s3_server, monkeypatch):
    monkeypatch.setattr(settings, "STORAGE_ADDRESSES", tuple(env.addresses("127.0.0.1")))
    prefix = f"originals-{secrets.token_hex(4)}"
    entry = s3_server.storage(s3_server.shared, prefix=prefix).put(photo.path, io.BytesIO(content))
    storage = photo.image.dataset.storage
    storage.kind, storage.endpoint, storage.bucket = (
        StorageKind.S3,
        s3_server.endpoint,
        s3_server.shared,
    )
    storage.prefix = prefix
    secret = Secret(s3_server.secret_key)
    storage.set_keys(Keys(access_key=s3_server.access_key, secret_key=secret))
    storage.save()
    Image.objects.update(etag=entry.etag)
    return photo


@pytest.mark.parametrize("s3_server", s3.SERVERS, indirect=True)
def test_parts_of_an_object_come_through_the_server(in_real_bucket, content, alice):
    client, address = make.client(alice), address_of(in_real_bucket, "?stream=1")

    whole = client.get(address)
    assert body(whole) == content
    etag = whole["ETag"]
    for asked, part in (
        ("bytes=0-9", content[:10]),
        ("bytes=1000-", content[1000:]),
        ("bytes=-7", content[-7:]),
    ):
        response = client.get(address, headers={"Range": asked, "If-Range": etag})
        assert response.status_code == 206
        assert body(response) == part
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    assert client.head(address)["Content-Length"] == str(len(content))
    assert client.get(address_of(in_real_bucket)).status_code == 302


@pytest.mark.parametrize("s3_server", s3.SERVERS, indirect=True)
def test_thumbnails_of_objects_are_made_ahead(in_real_bucket):
    dataset = in_real_bucket.image.dataset

    run = start_thumbnails(dataset)
    make.finish_runs()

    run.refresh_from_db()
    assert run.counts == {"made": 1}


# The small one that stands in --------------------------------------------------------------------
def test_a_large_image_has_a_preview_and_a_small_one_none(photo, alice):
    client = make.client(alice)
    page = reverse("sample", args=[photo.job_id, photo.pk])
    assert client.get(page).context["preview_url"] == ""
    path = make.folder_of(photo.job) / photo.path
    Picture.new("RGB", (3000, 2000), "teal").save(path, "JPEG")
    Image.objects.update(width=3000, height=2000)

    address = client.get(page).context["preview_url"]
    response = client.get(address)

    assert address.split("/")[-3] == Size.PREVIEW
    assert Picture.open(io.BytesIO(response.content)).size == (1280, 853)
    assert "immutable" in response["Cache-Control"]


def test_there_are_two_sizes_and_no_other(photo, alice):
    client = make.client(alice)

    for size, status in (("tile", 200), ("preview", 200), ("huge", 404), ("TILE", 404)):
        address = reverse("thumbnail", args=[photo.job_id, photo.pk, size, "any"])
        assert client.get(address).status_code == status
