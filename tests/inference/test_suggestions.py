"""What the model suggests is kept, shown in the job's terms, and accepted by a person. The model
server is a real one with the small model."""

import io

import pytest
from django.core.exceptions import PermissionDenied
from PIL import Image as Picture

from annotators.access import member_or_404
from datasets.models import Image
from inference import services
from inference.models import Prediction
from jobs import counters
from labelhub.errors import Conflict, DomainError, Unavailable
from labels.models import Origin
from tests import make, needs
from tests.inference.model_server import DIGITS

pytestmark = pytest.mark.django_db


@pytest.fixture
def with_digits(settings, digits_server):
    settings.MODEL_SERVER_URL = digits_server.url
    settings.MODEL_NAME = DIGITS


@pytest.fixture
def job(alice, held_out):
    """A job with five pictures of digits, in the order of `held_out`."""
    job = make.job(owner=alice, labels=("cat",), mode="single")
    for number, (sample, (picture, _digit)) in enumerate(
        zip(make.images(job, 5), held_out, strict=False)
    ):
        folder = make.folder_of(job)
        (folder / sample.path).parent.mkdir(exist_ok=True)
        (folder / sample.path).write_bytes(picture)
        assert number < 5
    return job


def predict(job, user, samples):
    return services.predict(member_or_404(user, job.pk), [sample.pk for sample in samples])


@pytest.mark.usefixtures("with_digits")
def test_every_image_gets_its_own_top_five(job, alice, held_out):
    samples = list(job.samples.order_by("pk"))

    found = predict(job, alice, samples)

    best = [found.suggestions[sample.pk][0].name for sample in samples]
    right = sum(name == digit for name, (_picture, digit) in zip(best, held_out, strict=False))
    assert right >= 4
    assert all(len(labels) == 5 for labels in found.suggestions.values())
    assert found.numeric_mode == "fp32-onednn"
    assert Prediction.objects.count() == 5


@pytest.mark.usefixtures("with_digits")
def test_asking_again_replaces_what_was_said(job, alice):
    sample = job.samples.first()

    predict(job, alice, [sample])
    predict(job, alice, [sample])

    assert Prediction.objects.count() == 1


@pytest.mark.usefixtures("with_digits")
def test_an_image_that_cannot_be_read_does_not_keep_the_others_from_theirs(job, alice):
    gone, broken, good = job.samples.order_by("pk")[:3]
    (make.folder_of(job) / gone.path).unlink()
    (make.folder_of(job) / broken.path).write_bytes(b"no image at all")

    found = predict(job, alice, [gone, broken, good])

    assert set(found.suggestions) == {good.pk}
    assert set(found.problems) == {gone.pk, broken.pk}


@pytest.mark.usefixtures("with_digits")
def test_a_phone_photo_reaches_the_model_as_browsers_are_shown_it(job, alice):
    needs.heic()
    first, cut = job.samples.select_related("image").order_by("pk")[:2]
    before = predict(job, alice, [first]).suggestions[first.pk][0]
    for sample in (first, cut):
        path = make.folder_of(job) / sample.path
        content = io.BytesIO()
        Picture.open(path).convert("RGB").save(content, "HEIF", quality=95)
        path.write_bytes(content.getvalue()[: None if sample == first else 300])
    Image.objects.filter(pk__in=[first.image_id, cut.image_id]).update(
        format="HEIC", etag="of a photo"
    )

    found = predict(job, alice, [first, cut])

    assert found.suggestions[first.pk][0].name == before.name
    assert list(found.problems) == [cut.pk]
    assert "The HEIC image is damaged" in found.problems[cut.pk]


@pytest.mark.usefixtures("with_digits")
def test_a_single_bad_image_is_a_problem_of_that_image(job, alice):
    sample = job.samples.first()
    (make.folder_of(job) / sample.path).write_bytes(b"no image at all")

    found = predict(job, alice, [sample])

    assert found.problems[sample.pk]
    assert found.suggestions == {}


@pytest.mark.usefixtures("with_digits")
def test_accepting_adds_the_label_that_the_job_lacks(job, alice):
    sample = job.samples.first()
    best = predict(job, alice, [sample]).suggestions[sample.pk][0]

    result, label = services.accept(member_or_404(alice, job.pk), sample.pk, best.name)

    annotation = sample.annotations.get()
    assert annotation.label == label
    assert label.name == best.label_name
    assert annotation.origin == Origin.MODEL
    assert annotation.confidence == pytest.approx(best.score)
    assert result.sample_ids == [sample.pk]
    assert counters.drift(job) == {}


@pytest.mark.usefixtures("with_digits")
def test_a_labeler_accepts_what_the_job_has_and_adds_no_label(job, alice, bob):
    make.member(job, bob, "labeler")
    sample = job.samples.first()
    best, second = predict(job, alice, [sample]).suggestions[sample.pk][:2]
    job.labels.create(name=best.label_name, position=9)

    services.accept(member_or_404(bob, job.pk), sample.pk, best.name)
    with pytest.raises(PermissionDenied, match="added by reviewers"):
        services.accept(member_or_404(bob, job.pk), sample.pk, second.name)

    assert sample.annotations.get().label.name == best.label_name


def test_what_the_model_did_not_say_cannot_be_accepted(job, alice):
    with pytest.raises(Conflict, match="no longer suggests"):
        services.accept(member_or_404(alice, job.pk), job.samples.first().pk, "zebra")


def test_a_model_server_that_is_down_is_named_with_its_address(job, alice, settings):
    settings.MODEL_SERVER_URL = "http://127.0.0.1:9"

    with pytest.raises(Unavailable, match="http://127.0.0.1:9"):
        predict(job, alice, job.samples.all()[:1])


@pytest.mark.usefixtures("with_digits")
def test_a_model_that_is_not_installed_is_said_by_the_server(job, alice, settings):
    settings.MODEL_NAME = "PPLCNetV2"

    with pytest.raises(Unavailable, match="PPLCNetV2"):
        predict(job, alice, job.samples.all()[:1])


def test_nothing_and_too_much_are_refused(job, alice):
    for ids in ([], list(range(1, 100))):
        with pytest.raises(DomainError, match="1 to 64"):
            services.predict(member_or_404(alice, job.pk), ids)


def test_samples_of_another_job_are_not_looked_at(job, alice):
    other = make.job(owner=alice)
    (foreign,) = make.images(other, 1, files=True)

    found = predict(job, alice, [foreign])

    assert (found.suggestions, found.problems) == ({}, {})
    assert not Prediction.objects.exists()
