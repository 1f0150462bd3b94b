"""The same query everywhere: what the page shows, the API lists, a selection holds, commands change
and an export writes is the same."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from inference.models import Prediction
from inference.services import newest, note_best
from jobs import counters
from jobs.models import SampleState
from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.undo import undo_last
from runs.models import RunKind
from tests import make

pytestmark = pytest.mark.django_db

QUERIES = [
    "",
    "state=labeled",
    "state=unlabeled&hard=1",
    "label={cat}",
    "label={cat},-{dog}",
    "label={cat},{dog}&label_mode=all",
    "label=none",
    "hard=0",
    "by={bob}",
    "path=b",
    "name=00003",
    "predicted=dog",
    "agrees=0",
    "score_min=0.5",
    "labeled_after=1d",
    "split=none&state=labeled",
]


@pytest.fixture
def job(alice, bob):
    """Eight images in two folders, with something of all that can be asked for."""
    job = make.job(owner=alice)
    make.member(job, bob, "manager")
    samples = [*make.images(job, 4, folder="a/"), *make.images(job, 4, folder="b/")]
    alices, bobs = make.membership(job, alice), make.membership(job, bob)
    cat, dog = job.labels.all()

    def of(*numbers: int) -> Selection:
        return Selection(ids=tuple(samples[number].pk for number in numbers))

    annotate(alices, of(0, 2, 4), add=[cat.pk])
    annotate(bobs, of(2, 5), add=[dog.pk])
    annotate(bobs, of(6), nothing=True)
    mark_hard(alices, of(2, 3, 7), is_hard=True)
    for number, score in ((0, 0.9), (2, 0.4), (3, 0.7)):
        said = {"model": "M", "numeric_mode": "x", "labels": [["dog", score]]}
        Prediction.objects.create(sample=samples[number], **said)
    note_best(job, newest(sample.pk for sample in samples))
    return job


@pytest.fixture
def query(job, bob, request) -> str:
    return request.param.format(**dict(job.labels.values_list("name", "pk")), bob=bob.pk)


@pytest.fixture
def send(job, alice) -> Callable[..., dict[str, Any]]:
    client = make.client(alice)

    def send(path: str, **body: Any) -> dict[str, Any]:
        address = f"/api/jobs/{job.pk}/{path}/"
        answer = client.post(address, body, content_type="application/json")
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    return send


def listed(job, user, query: str) -> list[dict[str, Any]]:
    return make.client(user).get(f"/api/jobs/{job.pk}/samples/?{query}").json()["results"]


@pytest.mark.parametrize("query", QUERIES, indirect=True)
def test_page_api_selection_and_export_find_the_same(job, alice, query, send):
    found = listed(job, alice, query)
    ids = [one["id"] for one in found]

    # The address of a page says that all are meant.
    address = f"/jobs/{job.pk}/?{query or 'state=all'}"
    page = make.client(alice).get(address).content.decode()
    summary = send("selection", query=query)
    run = send("exports", format="paddleclas", query=query, with_images=False)
    make.finish_runs()

    assert [int(pk) for pk in re.findall(r'id="s(\d+)"', page)] == ids
    assert summary["count"] == len(ids)
    labeled = [one for one in found if one["state"] == SampleState.LABELED]
    assert summary["states"]["labeled"] == len(labeled)
    carried = {label["id"]: label["count"] for label in summary["labels"]}
    assert sum(carried.values()) == sum(len(one["labels"]) for one in found)
    assert job.runs.get(pk=run["id"], kind=RunKind.EXPORT).total == len(labeled)


# What a command changes of any image that it finds, and of none that it does not.
COMMANDS: dict[str, dict[str, Any]] = {
    "annotate": {"nothing": True},
    "hard": {"is_hard": True},
    "trash": {},
    "reject": {},
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("query", QUERIES[1:], indirect=True)
def test_commands_change_what_the_query_finds_and_nothing_else(job, alice, query, command, send):
    found = {one["id"] for one in listed(job, alice, query)}
    before = dict(job.samples.values_list("pk", "version"))

    answer = send(command, query=query, **COMMANDS[command])

    now = dict(job.samples.values_list("pk", "version"))
    changed = {pk for pk, version in before.items() if now.get(pk) != version}
    assert changed == set(answer["samples"])
    assert changed <= found
    able = job.samples.filter(pk__in=found - changed)
    if command == "hard":
        assert not able.filter(is_hard=False).exists()
    elif command == "annotate":
        assert not able.exclude(state=SampleState.LABELED, label_count=0).exists()
    elif command == "trash":
        assert changed == found
    else:
        assert answer["left"].get("no_suggestion", 0) == len(found) - len(changed)
    assert counters.drift(job) == {}
    if answer["change"]:
        undo_last(make.membership(job, alice))
        assert {one["id"] for one in listed(job, alice, query)} == found


@pytest.mark.parametrize("path", ["annotate", "hard", "trash", "reject", "accept", "selection"])
@pytest.mark.parametrize("wrong", ["hard=maybe", "label=cat", "state=lost"])
def test_a_query_that_makes_no_sense_is_refused_everywhere(job, alice, path, wrong):
    body = {"query": wrong, "clear": True, "is_hard": True}
    before = job.changes.count()

    answer = make.client(alice).post(
        f"/api/jobs/{job.pk}/{path}/", body, content_type="application/json"
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "query")
    assert job.changes.count() == before


def test_exceptions_and_what_came_later_stay_alone_in_every_command(job, send):
    ids = list(job.samples.order_by("pk").values_list("pk", flat=True))
    left = {"except": [ids[0]], "through": ids[-1], "query": ""}
    late = make.images(job, 1)[0].pk

    for command, body in COMMANDS.items():
        answer = send(command, **left, **body)
        assert not {ids[0], late} & set(answer["samples"])
    assert send("selection", **left)["count"] == 0
    assert counters.drift(job) == {}
