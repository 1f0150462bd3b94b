"""The page of labels and its API, as a browser and a program use them."""

import pytest
from django.urls import reverse

from annotators.roles import Role
from jobs import counters
from jobs.selection import Selection
from labels.annotate import annotate
from labels.labelset import removal
from labels.labelset.edits import edit_label
from labels.services import create_labels
from tests import make

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    make.member(job, bob, Role.LABELER)
    samples = make.images(job, 3)
    member, (cat, dog, _cow) = make.membership(job, alice), job.labels.all()
    annotate(member, Selection(ids=(samples[0].pk, samples[1].pk)), add=[cat.pk])
    annotate(member, Selection(ids=(samples[1].pk,)), add=[dog.pk])
    return job


@pytest.fixture
def client(alice):
    return make.client(alice)


def names(job) -> list[str]:
    return list(job.labels.values_list("name", flat=True))


def address(name: str, job, *more: int) -> str:
    return reverse(name, args=[job.pk, *more])


def test_the_list_costs_the_same_for_three_labels_and_for_thousands(
    job, client, django_assert_num_queries
):
    create_labels(job, [f"label-{number:04d}" for number in range(3_000)])
    client.get(address("labelset", job))

    with django_assert_num_queries(7):
        page = client.get(address("labelset", job)).content.decode()

    assert page.count("data-place=") == 100
    assert len(page) < 400_000


def test_a_label_shows_its_count_with_the_way_to_its_images(job, client):
    cat = job.labels.first()
    page = client.get(address("labelset", job)).content.decode()

    assert f'href="/jobs/{job.pk}/?label={cat.pk}" data-count="label:{cat.pk}">2</a>' in page


def test_who_labels_sees_the_list_and_changes_nothing(job, bob):
    page = make.client(bob).get(address("labelset", job)).content.decode()

    assert "cat" in page
    for control in ("labelset-batch", "data-move", "data-palette", "labelset-add", "?edit="):
        assert control not in page


def test_labels_are_found_by_name_and_description(job, client, alice):
    edit_label(make.membership(job, alice), job.labels.last().pk, description="Gives milk")

    found = client.get(address("labelset", job) + "?q=MILK").content.decode()
    none = client.get(address("labelset", job) + "?q=zebra").content.decode()

    assert found.count("data-place=") == 1
    assert "No label has that" in none


def test_a_list_is_pasted_and_what_is_there_already_stays(job, client):
    client.post(address("labelset_add", job), {"labels": "dog, fox\nelk；cat\nfox"})

    assert names(job) == ["cat", "dog", "cow", "fox", "elk"]


def test_the_preview_tells_new_names_from_those_that_are_there_or_cannot_be(job, client):
    answer = client.post(address("labelset_preview", job), {"labels": "fox\ncat\na b"})
    preview = answer.content.decode()

    assert "fox" in preview
    assert '<s class="chip-name" dir="auto">cat</s>' in preview
    assert "a_b" in preview


def test_names_that_cannot_be_are_refused_with_the_text_kept(job, client):
    answer = client.post(address("labelset_add", job), {"labels": "fox\na b"}, headers=HTMX)

    assert (answer.status_code, answer["HX-Retarget"]) == (200, "#labelset-add")
    assert "a b" in answer.content.decode()
    assert "fox" not in names(job)


def test_renaming_to_a_name_that_exists_shows_the_way_to_merge(job, client):
    cat, dog, _cow = job.labels.all()

    answer = client.post(address("labelset_edit", job, cat.pk), {"name": "dog"}, headers=HTMX)

    assert answer.status_code == 422
    assert f"labels={cat.pk}&amp;target={dog.pk}" in answer.content.decode()


def test_the_question_before_a_merge_has_the_numbers(job, client):
    cat, _dog, _cow = job.labels.all()

    question = address("labelset_merge", job) + f"?labels={cat.pk}&into=dog"
    text = " ".join(client.get(question).content.decode().split())

    assert "<dt>Images that get it</dt><dd>1</dd>" in text
    assert "<dt>Images that carry both</dt><dd>1</dd>" in text
    assert "1 → <strong>2</strong>" in text


def test_labels_are_merged_and_the_answer_offers_the_undo(job, client):
    cat, _dog, _cow = job.labels.all()

    merge = address("labelset_merge", job)
    answer = client.post(merge, {"labels": [cat.pk], "into": "dog"}, headers=HTMX)
    assert names(job) == ["dog", "cow"]
    assert "Merged “cat” into “dog”." in answer.content.decode()

    change = job.changes.latest("pk").pk
    assert f'name="change" value="{change}"' in answer.content.decode()
    client.post(address("labelset_undo", job), {"change": change})
    assert names(job) == ["cat", "dog", "cow"]
    assert counters.drift(job) == {}


def test_a_merge_into_nothing_asks_again(job, client):
    cat, _dog, _cow = job.labels.all()

    merge = address("labelset_merge", job)
    answer = client.post(merge, {"labels": [cat.pk], "into": "zebra"}, headers=HTMX)

    assert answer["HX-Retarget"] == "#dialog"
    assert "no label “zebra”" in answer.content.decode()
    assert len(names(job)) == 3


@pytest.mark.parametrize(("policy", "left"), [("label", 3), ("images", 1)])
def test_several_labels_are_deleted_with_a_choice_for_their_images(job, client, policy, left):
    cat, dog, _cow = job.labels.all()
    ask = address("labelset_delete", job) + f"?labels={cat.pk}&labels={dog.pk}"
    assert "Delete 2 labels?" in client.get(ask).content.decode()

    body = {"labels": [cat.pk, dog.pk], "policy": policy}
    client.post(address("labelset_delete", job), body)

    # Both labeled images carried nothing else.
    assert (names(job), job.samples.count()) == (["cow"], left)
    assert counters.drift(job) == {}


def test_a_policy_that_is_not_offered_deletes_nothing(job, client):
    cat = job.labels.first()

    client.post(address("labelset_delete", job), {"labels": [cat.pk], "policy": "files"})
    client.post(address("labelset_delete", job), {"labels": [cat.pk]})

    assert "cat" in names(job)


def test_the_page_says_how_far_a_run_is_and_which_labels_go(job, client, monkeypatch):
    monkeypatch.setattr(removal, "MOST_AT_ONCE", 1)
    cat, _dog, _cow = job.labels.all()
    merge = address("labelset_merge", job)
    client.post(merge, {"labels": [cat.pk], "into": "dog"}, headers=HTMX)

    page = client.get(address("labelset", job)).content.decode()
    assert page.count("is being changed") == 1
    assert 'hx-trigger="every 1s"' in page

    make.finish_runs()
    after = client.get(address("labelset_run", job))
    assert "labels:changed" in after["HX-Trigger"]


def test_labels_move_and_are_sorted_on_the_page(job, client):
    cow = job.labels.last()

    client.post(address("labelset_move", job, cow.pk), {"to": 0})
    assert names(job) == ["cow", "cat", "dog"]
    client.post(address("labelset_sort", job), {"by": "name"})
    assert names(job) == ["cat", "cow", "dog"]


def test_the_job_list_and_the_label_panel_lead_to_the_labels(job, client):
    link = address("labelset", job)

    assert link in client.get("/").content.decode()
    assert link in client.get(address("job", job)).content.decode()


def test_own_keys_push_digits_of_places_aside(job, client, alice):
    cat, dog, cow = job.labels.all()
    member = make.membership(job, alice)
    edit_label(member, cow.pk, key="1")
    edit_label(member, dog.pk, key="d")

    page = client.get(address("job", job)).content.decode()

    shown = [
        page.split(f'data-label="{label.pk}"')[1].split("</button>")[0] for label in (cat, dog, cow)
    ]
    assert "aria-keyshortcuts" not in shown[0]
    assert 'aria-keyshortcuts="d"' in shown[1]
    assert 'aria-keyshortcuts="1"' in shown[2]


# API ---------------------------------------------------------------------------------------------
def send(client, method: str, path: str, body=None):
    return getattr(client, method)(path, body, content_type="application/json")


def test_the_api_edits_a_label_and_names_what_is_in_the_way(job, client):
    cat, dog, _cow = job.labels.all()
    path = address("api_label", job, cat.pk)

    edited = send(client, "patch", path, {"colour": 7, "key": "c", "description": "Meows"})
    refused = send(client, "patch", path, {"name": "dog"})

    assert edited.json() == {
        "id": cat.pk,
        "name": "cat",
        "colour": 7,
        "position": 0,
        "key": "c",
        "description": "Meows",
    }
    assert (refused.status_code, refused.json()["code"]) == (409, "label_exists")
    assert refused.json()["label"] == dog.pk


def test_the_api_merges_with_a_preview(job, client):
    cat, dog, _cow = job.labels.all()
    path = address("api_label_merge", job, cat.pk)

    preview = send(client, "post", f"{path}preview/", {"into": dog.pk}).json()
    merged = send(client, "post", path, {"into": dog.pk}).json()

    assert preview == {"only_source": 1, "both": 1, "before": 1, "after": 2}
    assert (merged["changed"], merged["verb"], merged["run"]) == (2, "merge_labels", None)
    assert merged["message"] == "Merged “cat” into “dog”."
    undone = send(client, "post", address("api_undo", job)).json()
    assert undone["message"] == "“cat” is there again."


def test_the_api_deletes_labels_as_one_change(job, client):
    cat, dog, _cow = job.labels.all()

    body = {"labels": [cat.pk, dog.pk], "policy": "images"}
    answer = send(client, "post", address("api_labels_delete", job), body).json()

    assert answer["changed"] == 2
    assert (names(job), job.samples.count()) == (["cow"], 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda cat, dog, cow: {"ids": [cow, cat, dog]}, ["cow", "cat", "dog"]),
        (lambda *_labels: {"by": "name"}, ["cat", "cow", "dog"]),
        (lambda cat, *_others: {"label": cat, "to": 1}, ["dog", "cat", "cow"]),
    ],
    ids=["ids", "by", "move"],
)
def test_the_api_orders_labels(job, client, body, expected):
    pks = job.labels.values_list("pk", flat=True)

    answer = send(client, "post", address("api_label_order", job), body(*pks))

    assert [label["name"] for label in answer.json()] == expected


def test_the_api_takes_one_way_to_order_at_a_time(job, client):
    answer = send(client, "post", address("api_label_order", job), {"by": "name", "ids": []})

    assert answer.status_code == 400
