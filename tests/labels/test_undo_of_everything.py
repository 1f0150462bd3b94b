"""Everything that a person does to images and labels is undone and done again: from a toast or by
Ctrl+Z, and from the history. Images that somebody else changed since stay as they are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from annotators.models import Member
from datasets.formats import Record
from datasets.models import Storage
from inference import decisions, services
from inference.models import Prediction
from jobs import counters
from jobs.models import Job, Sample, SampleState, Verb
from jobs.selection import Selection
from labels.annotate import annotate, set_labels
from labels.hard import mark_hard
from labels.intake import Hand, Wishes, take_labels
from labels.labelset.deletion import Policy, delete_labels
from labels.labelset.edits import add_labels, edit_label, move_label, sort_labels
from labels.labelset.merging import merge_labels
from labels.models import Label
from labels.trash import restore, restore_all, trash
from tests import make

pytestmark = pytest.mark.django_db

ALL = Selection(query="")


@dataclass
class Scene:
    """Six images: two of a cat, of which the second is a dog too, a hard one, one in the trash, and
    two of which a model said something. Alice acts; what is done by ids is done to `some`."""

    job: Job
    member: Member
    samples: list[Sample]

    @property
    def cat(self) -> int:
        return Label.everything.get(job=self.job, name="cat").pk

    @property
    def dog(self) -> int:
        return self.job.labels.get(name="dog").pk

    @property
    def some(self) -> Selection:
        return Selection(ids=tuple(sample.pk for sample in self.samples))

    def seen(self) -> list[Any]:
        """All that people see: the list of labels, and each image."""
        labels = self.job.labels.values_list("name", "colour", "key", "description")
        images = [
            (
                sample.state,
                sample.is_hard,
                sample.trashed_at is None,
                sample.last_by_id,
                sorted(sample.annotations.values_list("label__name", "user_id", "origin")),
                [one.labels for one in sample.predictions.all()],
            )
            for sample in Sample.everything.filter(job=self.job).order_by("pk")
        ]
        return [list(labels), images]


@pytest.fixture
def scene(alice, bob) -> Scene:
    job = make.job(owner=alice, labels=("cat", "dog", "bee"))
    make.member(job, bob, "manager")
    samples = make.images(job, 6)
    member, bobs = make.membership(job, alice), make.membership(job, bob)
    made = Scene(job, member, samples)
    annotate(bobs, Selection(ids=(samples[0].pk, samples[1].pk)), add=[made.cat])
    annotate(bobs, Selection(ids=(samples[1].pk,)), add=[made.dog])
    mark_hard(bobs, Selection(ids=(samples[2].pk,)), is_hard=True)
    trash(bobs, Selection(ids=(samples[3].pk,)))
    for sample in samples[4:]:
        labels = [["cat", 0.9], ["new", 0.4]]
        Prediction.objects.create(sample=sample, model="M", numeric_mode="x", labels=labels)
    services.note_best(job, services.newest(sample.pk for sample in samples))
    return made


def write_set(scene: Scene) -> None:
    scene.samples[1].refresh_from_db()
    set_labels(scene.member, scene.samples[1].pk, [scene.dog], version=scene.samples[1].version)


@transaction.atomic
def take(scene: Scene, state: str) -> None:
    """As the run of an import does."""
    records = {
        sample.path: Record(path=sample.path, labels=("dog", "wolf"), is_hard=True)
        for sample in scene.samples
    }
    take_labels(Hand(scene.job, scene.member.user), records, Wishes(state=state))


Act = Callable[[Scene], Any]
# What is done to images, by ids and by a query.
TO_IMAGES: dict[str, Callable[[Scene, Selection], Any]] = {
    "add": lambda at, which: annotate(at.member, which, add=[at.dog]),
    "remove": lambda at, which: annotate(at.member, which, remove=[at.cat]),
    "add and remove": lambda at, which: annotate(at.member, which, add=[at.dog], remove=[at.cat]),
    "clear": lambda at, which: annotate(at.member, which, clear=True),
    "nothing": lambda at, which: annotate(at.member, which, nothing=True),
    "replace": lambda at, which: annotate(at.member, which, replace=(at.cat, at.dog)),
    "hard": lambda at, which: mark_hard(at.member, which, is_hard=True),
    "not hard": lambda at, which: mark_hard(at.member, which, is_hard=False),
    "accept": lambda at, which: decisions.accept_best(at.member, which),
    "reject": lambda at, which: decisions.reject_best(at.member, which),
    "trash": lambda at, which: trash(at.member, which),
    "restore": lambda at, which: restore(at.member, which),
}
# What is done to one image, or comes with a file.
TO_OTHERS: dict[str, Act] = {
    "write a set": write_set,
    "accept one": lambda at: services.accept(at.member, at.samples[4].pk, "cat"),
    "reject one": lambda at: decisions.reject(at.member, at.samples[4].pk, "new"),
    "restore all": lambda at: restore_all(at.member),
    "import": lambda at: take(at, SampleState.LABELED),
    "import to confirm": lambda at: take(at, SampleState.TO_CONFIRM),
}
TO_LABELS: dict[str, Act] = {
    "add labels": lambda at: add_labels(at.member, ["cow", "hen"]),
    "rename": lambda at: edit_label(at.member, at.cat, name="kitten"),
    "recolour": lambda at: edit_label(at.member, at.cat, colour=9),
    "key": lambda at: edit_label(at.member, at.cat, key="g"),
    "describe": lambda at: edit_label(at.member, at.cat, description="small"),
    "move": lambda at: move_label(at.member, at.cat, to=2),
    "sort": lambda at: sort_labels(at.member, "name"),
    "merge": lambda at: merge_labels(at.member, [at.cat], at.dog),
    "delete": lambda at: delete_labels(at.member, [at.cat], policy=Policy.LABEL),
    "delete with images": lambda at: delete_labels(at.member, [at.cat], policy=Policy.IMAGES),
}
AT_ONCE: dict[str, Act] = {
    **{name: lambda at, do=do: do(at, at.some) for name, do in TO_IMAGES.items()},
    **TO_OTHERS,
    **TO_LABELS,
}
AS_A_RUN: dict[str, Act] = {
    **{f"{name}, many": lambda at, do=do: do(at, ALL) for name, do in TO_IMAGES.items()},
    **{
        f"{name}, many": AT_ONCE[name]
        for name in ("restore all", "import", "merge", "delete", "delete with images")
    },
}
ACTS = AT_ONCE | AS_A_RUN
FEW_IMAGES = [name for name in ACTS if name.removesuffix(", many") not in {*TO_LABELS} - {"merge"}]


@pytest.fixture(autouse=True)
def _many_is_few(request, monkeypatch) -> None:
    if "name" in request.fixturenames and request.getfixturevalue("name") in AS_A_RUN:
        for name in ("bulk.MOST_AT_ONCE", "undo.MOST_AT_ONCE"):
            monkeypatch.setattr(f"labels.{name}", 0)
        for name in ("removal.MOST_AT_ONCE", "undoing.MOST_AT_ONCE"):
            monkeypatch.setattr(f"labels.labelset.{name}", 0)
        monkeypatch.setattr("labels.bulk.LARGEST_PART", 2)
        monkeypatch.setattr("labels.bulk.PAUSE_SECONDS", 0)
        monkeypatch.setattr("labels.labelset.removal.SAMPLES_IN_PIECE", 2)


def post(client, job: Job, path: str) -> dict[str, Any]:
    answer = client.post(f"/api/jobs/{job.pk}/{path}", content_type="application/json")
    assert answer.status_code in (200, 202), answer.content
    make.finish_runs()
    return answer.json()


def act(scene: Scene, name: str) -> None:
    ACTS[name](scene)
    make.finish_runs()


def undoable(seen: list[Any], name: str) -> list[Any]:
    """What an import brings besides stays: labels that the job lacked, and suggestions. Nobody
    decided on them."""
    labels, images = seen
    if not name.startswith("import"):
        return seen
    return [labels[:3], [image[:-1] for image in images]]


@pytest.mark.parametrize("name", ACTS)
def test_the_last_thing_is_undone_and_done_again(scene, alice, name):
    client, before = make.client(alice), scene.seen()
    act(scene, name)
    after = scene.seen()
    assert after != before

    post(client, scene.job, "undo/")
    assert undoable(scene.seen(), name) == undoable(before, name)
    assert counters.drift(scene.job) == {}
    post(client, scene.job, "redo/")
    assert scene.seen() == after
    assert counters.drift(scene.job) == {}


@pytest.mark.parametrize("name", AT_ONCE)
def test_it_is_undone_and_done_again_from_the_history(scene, alice, name):
    client, before = make.client(alice), scene.seen()
    act(scene, name)
    after = scene.seen()
    page = f"/jobs/{scene.job.pk}/history/"

    for seen in (before, after):
        last = scene.job.changes.order_by("-pk").first()
        assert f'action="{page}{last.pk}/undo/"' in client.get(page).content.decode()
        assert client.post(f"{page}{last.pk}/undo/").status_code == 302
        assert undoable(scene.seen(), name) == undoable(seen, name)
        assert counters.drift(scene.job) == {}


@pytest.mark.parametrize("name", FEW_IMAGES)
def test_images_that_somebody_changed_since_stay_and_are_counted(scene, alice, bob, name):
    act(scene, name)
    change = scene.job.changes.order_by("-pk").first()
    touched = change.items.order_by("pk").first().sample
    bobs = make.membership(scene.job, bob)
    if touched.trashed_at is None:
        mark_hard(bobs, Selection(ids=(touched.pk,)), is_hard=not touched.is_hard)
    else:
        restore(bobs, Selection(ids=(touched.pk,)))
    make.finish_runs()
    at = [sample.pk for sample in scene.samples].index(touched.pk)
    left = scene.seen()[1][at]

    answer = post(make.client(alice), scene.job, "undo/")

    assert scene.seen()[1][at] == left
    assert counters.drift(scene.job) == {}
    undone = scene.job.changes.order_by("-pk").first()
    assert (undone.verb, undone.params.get("skipped")) == (Verb.UNDO, 1)
    assert undone.sample_count == change.sample_count - 1
    if answer["run"] is None:
        assert answer["skipped"] == 1
        assert "1" in answer["message"]
    page = make.client(alice).get(f"/jobs/{scene.job.pk}/history/").content.decode()
    assert "1 left as it is: changed by others since" in page


@pytest.mark.parametrize("policy", [Policy.LABEL, Policy.IMAGES])
def test_deleted_labels_come_back_but_not_onto_images_that_somebody_changed(
    scene, alice, bob, policy
):
    delete_labels(scene.member, [scene.cat], policy=policy)
    first = Selection(ids=(scene.samples[0].pk,))
    bobs = make.membership(scene.job, bob)
    if policy == Policy.IMAGES:
        restore(bobs, first)
    annotate(bobs, first, add=[scene.dog])

    answer = post(make.client(alice), scene.job, "undo/")

    assert "“cat” is there again." in answer["message"]
    assert "1 image was changed since and left as it is." in answer["message"]
    names = [set(one.annotations.values_list("label__name", flat=True)) for one in scene.samples]
    assert names[:2] == [{"dog"}, {"cat", "dog"}]
    assert counters.drift(scene.job) == {}


def test_a_label_deleted_with_files_comes_back_and_the_images_do_not(scene, alice):
    """The files of images with nothing else are deleted for good; the fixture has none to delete,
    so that all of them count as gone."""
    Storage.objects.update(can_write=True, can_delete=True)
    member = make.membership(scene.job, alice)
    delete_labels(member, [scene.cat], policy=Policy.FILES)
    make.finish_runs()
    assert not Sample.everything.filter(pk=scene.samples[0].pk).exists()

    post(make.client(alice), scene.job, "undo/")

    assert scene.job.labels.filter(name="cat").exists()
    left = scene.samples[1].annotations.values_list("label__name", flat=True)
    assert set(left) == {"cat", "dog"}
    assert counters.drift(scene.job) == {}
    assert counters.read(scene.job)[counters.label_key(scene.cat)] == 1


def test_one_persons_undo_leaves_anothers_work_alone(scene, alice, bob):
    """Ctrl+Z is for what one did oneself."""
    before = scene.seen()
    annotate(make.membership(scene.job, bob), scene.some, add=[scene.dog])
    after = scene.seen()
    assert after != before

    answer = make.client(alice).post(f"/api/jobs/{scene.job.pk}/undo/")

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing")
    assert scene.seen() == after
