"""Saved views: filters and an order under a name, personal or of everybody in the job."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from annotators.roles import Role
from jobs.finding import saved
from jobs.models import SavedView
from labelhub.errors import Conflict, DomainError
from labels.labelset import deletion, edits
from labels.labelset.deletion import Policy
from tests import make

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def job(alice, bob):
    made = make.job(owner=alice, labels=("cat", "dog"))
    make.member(made, bob, Role.LABELER)
    return made


def save(job, user, name="Mine", query="hard=1", **more) -> SavedView:
    return saved.save_view(make.membership(job, user), name=name, query=query, **more)


def names(job, user) -> list[str]:
    return [view.name for view in saved.views_for(make.membership(job, user))]


# What is kept ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("hard=1", "hard=1"),
        ("?sort=-path&hard=1&size=50&cursor=x&state=all", "hard=1&sort=-path"),
        ("state=labeled&label=5&label=-3&label_mode=any", "state=labeled&label=5,-3"),
        ("labeled_after=7d&name=", "labeled_after=7d"),
        ("sort=-time", "sort=-time"),
        ("sort=uncertain", "sort=score"),
    ],
)
def test_a_view_keeps_filters_and_order_alone(given, kept, job, bob):
    assert save(job, bob, query=given).query == kept


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("score_min=high", "score_min: Enter a number."),
        ("state=lost", "state: Select a valid choice."),
        ("label=cat", "label: Write ids of labels"),
        ("wonderful=1", "wonderful: There is no such filter."),
        ("hard=1&sort=size", "sort: One of added,"),
        ("", "Set a filter or an order first"),
        ("state=all&size=50", "Set a filter or an order first"),
        ("path=" + "鱼" * 300, "too long to be saved: at most 2000"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_the_reason(query, says, job, bob):
    with pytest.raises(DomainError) as refused:
        save(job, bob, query=query)

    assert says in refused.value.message
    assert refused.value.code == "query"
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("name", "says"), [("  ", "needs a name"), ("x" * 101, "at most 100 characters")]
)
def test_a_name_is_one_to_a_hundred_characters(name, says, job, bob):
    with pytest.raises(DomainError, match=says):
        save(job, bob, name=name)

    assert save(job, bob, name=f" {'x' * 98}\n y ").name == "x" * 98 + " y"


def test_a_person_has_each_name_once(job, alice, bob):
    save(job, bob, name="Hard ones")
    save(job, alice, name="Hard ones")
    save(job, alice, name="Hard ones", is_shared=True)

    with pytest.raises(Conflict, match="“Hard ones” already"):
        save(job, bob, name="Hard ones")
    with pytest.raises(Conflict, match="“Hard ones” already"):
        save(job, alice, name="Hard ones", is_shared=True)
    assert SavedView.objects.count() == 3


def test_a_person_has_at_most_a_hundred_views(job, alice, bob, monkeypatch):
    monkeypatch.setattr(saved, "MOST_VIEWS", 2)
    first = save(job, bob, name="1")
    save(job, bob, name="2")

    with pytest.raises(DomainError, match="room for 2 views"):
        save(job, bob, name="3")
    save(job, alice, name="3")
    saved.delete_view(make.membership(job, bob), first.pk)
    save(job, bob, name="3")
    assert names(job, bob) == ["2", "3"]


# Whose it is -------------------------------------------------------------------------------------
def test_own_views_are_seen_by_oneself_and_shared_ones_by_everybody(job, alice, bob):
    save(job, alice, name="Of Alice")
    save(job, bob, name="Of Bob")
    save(job, alice, name="Of all", is_shared=True)

    assert sorted(names(job, alice)) == ["Of Alice", "Of all"]
    assert sorted(names(job, bob)) == ["Of Bob", "Of all"]


def test_only_who_changes_the_job_shares_and_changes_shared_views(job, alice, bob):
    shared = save(job, alice, name="Of all", is_shared=True)
    own, member = save(job, bob, name="Of Bob"), make.membership(job, bob)

    with pytest.raises(PermissionDenied):
        save(job, bob, name="For you", is_shared=True)
    with pytest.raises(PermissionDenied):
        saved.change_view(member, own.pk, is_shared=True)
    with pytest.raises(PermissionDenied):
        saved.change_view(member, shared.pk, name="Of Bob")
    with pytest.raises(PermissionDenied):
        saved.delete_view(member, shared.pk)
    assert sorted(names(job, bob)) == ["Of Bob", "Of all"]


def test_a_view_of_somebody_else_is_not_there_even_for_the_owner(job, alice, bob):
    own = save(job, bob)
    member = make.membership(job, alice)

    with pytest.raises(Http404):
        saved.change_view(member, own.pk, name="Of Alice")
    with pytest.raises(Http404):
        saved.delete_view(member, own.pk)


def test_sharing_gives_a_view_to_the_job_and_taking_it_back_to_who_does_it(job, alice, carol):
    make.member(job, carol, Role.MANAGER)
    view = save(job, alice, name="Hard ones")

    saved.change_view(make.membership(job, alice), view.pk, is_shared=True)
    assert names(job, carol) == ["Hard ones"]
    saved.change_view(make.membership(job, carol), view.pk, is_shared=False)

    assert names(job, carol) == ["Hard ones"]
    assert names(job, alice) == []


def test_a_refused_change_leaves_the_view_as_it_was(job, bob):
    save(job, bob, name="Taken")
    view, member = save(job, bob), make.membership(job, bob)

    for fields in ({"name": "Taken"}, {"name": ""}, {"query": "hard=maybe"}):
        with pytest.raises(DomainError):
            saved.change_view(member, view.pk, **fields)

    view.refresh_from_db()
    assert (view.name, view.query) == ("Mine", "hard=1")


# Labels that are renamed or deleted --------------------------------------------------------------
def test_a_renamed_label_stays_in_its_views(job, alice):
    label = job.labels.first()
    save(job, alice, query=f"label={label.pk}")

    edits.edit_label(make.membership(job, alice), label.pk, name="kitten")

    (view,) = make.client(alice).get(f"/api/jobs/{job.pk}/views/").json()
    assert (view["query"], view["problem"]) == (f"label={label.pk}", "")


def test_a_view_says_that_its_label_was_deleted(job, alice):
    cat, dog = job.labels.all()
    save(job, alice, name="Cats", query=f"label={cat.pk},{dog.pk}")
    deletion.delete_labels(make.membership(job, alice), [cat.pk], policy=Policy.LABEL)
    client = make.client(alice)

    (view,) = client.get(f"/api/jobs/{job.pk}/views/").json()
    panel = client.get(reverse("filters", args=[job.pk]), **HTMX)
    page = client.get(f"/jobs/{job.pk}/?{view['query']}")

    assert view["problem"] == "The label “cat” was deleted."
    assertContains(panel, "The label “cat” was deleted.")
    assertContains(page, "The label “cat” was deleted.")
    # The way on without it keeps the other label.
    assertContains(page, f'href="/jobs/{job.pk}/?label={dog.pk}"')


# Pages -------------------------------------------------------------------------------------------
def test_a_view_is_saved_renamed_set_anew_and_deleted_from_the_panel(job, bob):
    client, address = make.client(bob), reverse("views", args=[job.pk])
    here = {"here": "state=labeled&hard=1"}

    made = client.post(address, here | {"name": "Hard", "query": "state=labeled&hard=1"}, **HTMX)
    view = SavedView.objects.get()
    one = reverse("view", args=[job.pk, view.pk])
    assertContains(made, 'aria-current="true"')
    assert (view.user, view.name, view.query) == (bob, "Hard", "state=labeled&hard=1")

    client.post(one, here | {"name": "Harder"}, **HTMX)
    client.post(one, here | {"name": "Harder", "query": "hard=1&sort=path"}, **HTMX)
    view.refresh_from_db()
    assert (view.name, view.query) == ("Harder", "hard=1&sort=path")

    deleted = client.post(one, here | {"name": "Harder", "delete": "1"}, **HTMX)
    assertContains(deleted, "Deleted “Harder”.")
    assertContains(deleted, 'value="hard=1&amp;sort=path"')
    assert not SavedView.objects.exists()


def test_what_is_refused_is_said_where_it_was_typed(job, bob):
    save(job, bob, name="Taken")
    view = save(job, bob, name="Mine")
    client = make.client(bob)

    twice = client.post(
        reverse("views", args=[job.pk]), {"name": "Taken", "query": "hard=0"}, **HTMX
    )
    renamed = client.post(reverse("view", args=[job.pk, view.pk]), {"name": "Taken"}, **HTMX)

    assertContains(twice, "There is a view “Taken” already.", status_code=422)
    assertContains(renamed, "There is a view “Taken” already.", status_code=422)


def test_without_scripts_the_forms_lead_back_to_the_filters(job, bob):
    client = make.client(bob)
    body = {"here": "hard=1", "name": "Hard", "query": "hard=1"}

    made = client.post(reverse("views", args=[job.pk]), body)
    again = client.post(reverse("views", args=[job.pk]), body, follow=True)

    assertRedirects(made, reverse("filters", args=[job.pk]) + "?hard=1")
    assertContains(again, "There is a view “Hard” already.")


def test_a_labeler_is_not_offered_to_share(job, alice, bob):
    save(job, alice, name="Of all", is_shared=True)
    address = reverse("filters", args=[job.pk]) + "?hard=0"

    owners = make.client(alice).get(address, **HTMX)
    labelers = make.client(bob).get(address, **HTMX)

    assertContains(owners, "For everybody in the job")
    assertContains(owners, "Only for me")
    assertContains(labelers, "Of all")
    assertNotContains(labelers, "For everybody in the job")
    assertNotContains(labelers, "Only for me")


# API ---------------------------------------------------------------------------------------------
def test_the_api_makes_changes_and_deletes_views(job, alice):
    client, address = make.client(alice), f"/api/jobs/{job.pk}/views/"
    json = {"content_type": "application/json"}

    made = client.post(address, {"name": "Hard", "query": "hard=1", "is_shared": True}, **json)
    one = f"{address}{made.json()['id']}/"
    changed = client.patch(one, {"name": "Harder", "is_shared": False}, **json)
    read = client.get(one)
    deleted = client.delete(one)

    assert made.status_code == 201
    assert made.json()["is_shared"] is True
    assert changed.json() == read.json()
    assert {"name": "Harder", "query": "hard=1", "is_shared": False}.items() <= read.json().items()
    assert deleted.status_code == 204
    assert client.get(address).json() == []


def test_the_api_says_what_is_wrong_and_finds_no_view_of_others(job, alice, bob):
    own = save(job, bob)
    client, address = make.client(alice), f"/api/jobs/{job.pk}/views/"
    json = {"content_type": "application/json"}

    senseless = client.post(address, {"name": "x", "query": "hard=maybe"}, **json)

    assert senseless.status_code == 400
    assert senseless.json()["filter"] == "hard"
    assert "maybe" in senseless.json()["message"]
    for answer in (
        client.get(f"{address}{own.pk}/"),
        client.patch(f"{address}{own.pk}/", {"name": "x"}, **json),
        client.delete(f"{address}{own.pk}/"),
    ):
        assert answer.status_code == 404


def test_views_are_listed_in_few_statements(job, alice, django_assert_max_num_queries):
    for number in range(20):
        save(job, alice, name=f"{number}", query=f"label={job.labels.first().pk}&sort=path")
    client = make.client(alice)

    # The session, the person, the member, the views, their labels.
    with django_assert_max_num_queries(5):
        assert len(client.get(f"/api/jobs/{job.pk}/views/").json()) == 20
