"""The sample job of the first start."""

import hashlib
import zipfile
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from annotators import services as people_services
from annotators.roles import Role
from datasets import sample_drawings, sample_pictures
from jobs import sample
from jobs.models import Job
from runs.models import RunState
from tests import make, people

pytestmark = pytest.mark.django_db


@pytest.fixture
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def offline(monkeypatch):
    def refuse(into):  # noqa: ARG001
        raise sample_pictures.PicturesError("pip could not fetch it")

    monkeypatch.setattr(sample_pictures, "_download", refuse)
    monkeypatch.setattr(sample_pictures, "_photos_of_scikit_learn", lambda into: [])  # noqa: ARG005
    monkeypatch.setattr(sample_drawings, "SCENES", sample_drawings.SCENES[:2])


@pytest.mark.usefixtures("data_dir", "offline")
def test_it_is_made_from_drawings_where_nothing_can_be_had():
    call_command("sample_job", stdout=StringIO())
    make.finish_runs()

    job = Job.objects.get()
    assert job.runs.get().state == RunState.DONE
    assert sorted(job.samples.values_list("path", flat=True)) == ["apple.jpg", "yellow-apple.jpg"]
    assert tuple(job.labels.values_list("name", flat=True)) == sample.LABELS


@pytest.mark.usefixtures("data_dir", "offline")
def test_nobody_owns_it_until_the_first_owner_comes():
    call_command("sample_job", stdout=StringIO())
    assert not Job.objects.get().members.exists()
    token = people_services.start_setup().rstrip("/").rpartition("/")[2]

    owner = people_services.finish_setup(
        token, email="owner@example.org", name="Olga", password=people.PASSWORD
    )

    assert Job.objects.get().members.get().user == owner
    assert Job.objects.get().members.get().role == Role.OWNER


@pytest.mark.usefixtures("data_dir", "offline")
def test_it_is_wanted_once():
    assert sample.is_wanted()
    call_command("sample_job", stdout=StringIO())
    assert not sample.is_wanted()

    with pytest.raises(CommandError, match="--owner"):
        call_command("sample_job", stdout=StringIO())

    assert Job.objects.count() == 1


@pytest.mark.usefixtures("data_dir", "offline")
def test_one_that_was_deleted_does_not_come_back(alice):
    assert alice.pk

    assert not sample.is_wanted()


@pytest.mark.usefixtures("data_dir", "offline")
def test_somebody_who_is_named_gets_one(alice):
    call_command("sample_job", "--owner", "ALICE@example.org", stdout=StringIO())

    assert Job.objects.get().members.get().user == alice


def test_pictures_that_are_there_stay(data_dir, offline):  # noqa: ARG001
    (data_dir / "sample").mkdir()
    (data_dir / "sample" / "mine.jpg").write_bytes(b"picture")

    sample.prepare_pictures()

    assert [path.name for path in (data_dir / "sample").iterdir()] == ["mine.jpg"]


def test_the_drawings_are_pictures(tmp_path, monkeypatch):
    assert len(sample_drawings.SCENES) == 12
    monkeypatch.setattr(sample_drawings, "SCENES", sample_drawings.SCENES[-1:])

    (path,) = sample_drawings.draw_all(tmp_path)

    with Image.open(path) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("JPEG", (800, 600))


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Makes a wheel as the real one is, with other pictures; `swap` is another one than known."""

    def build(*, swap: str = "", is_known: bool = True):
        path, known = tmp_path / "some.whl", {}
        with zipfile.ZipFile(path, "w") as opened:
            for name in sample_pictures.PICTURES:
                kind, file = name.split("/")
                content = f"picture {name}".encode()
                known[name] = hashlib.sha256(content).hexdigest()
                stored = b"another picture" if name == swap else content
                opened.writestr(f"paddlelabel/sample/{kind}/img/{file}", stored)
        monkeypatch.setattr(sample_pictures, "PICTURES", known)
        monkeypatch.setattr(sample_pictures, "_download", lambda into: path)  # noqa: ARG005
        if is_known:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            monkeypatch.setattr(sample_pictures, "WHEEL_SHA256", sha256)

    return build


def test_the_pictures_of_the_wheel_are_taken(wheel, tmp_path):
    wheel()

    sample_pictures.fetch(tmp_path / "sample")

    found = sorted(path.name for path in (tmp_path / "sample" / "fruit").iterdir())
    assert found == ["1.jpeg", "2.jpeg", "3.jpeg", "4.jpeg", "5.jpeg"]


def test_another_wheel_is_refused(wheel, tmp_path):
    wheel(is_known=False)

    with pytest.raises(sample_pictures.PicturesError, match="another release"):
        sample_pictures.fetch(tmp_path / "sample")

    assert not (tmp_path / "sample").exists()


def test_a_damaged_picture_is_refused_with_all_others(wheel, tmp_path):
    wheel(swap="fruit/3.jpeg")

    with pytest.raises(sample_pictures.PicturesError, match="fruit/3.jpeg"):
        sample_pictures.fetch(tmp_path / "sample")

    assert not (tmp_path / "sample").exists()
