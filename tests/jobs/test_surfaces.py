"""The pages one labels on: the grid, the viewer, and their fragments."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from annotators.roles import Role
from inference.models import Prediction
from jobs import pages
from jobs.models import Job
from jobs.selection import Selection
from jobs.sorting import ADDED, Cursor
from labels.annotate import annotate
from labels.hard import mark_hard
from tests import make

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
GRID_STATEMENTS = 8


@pytest.fixture
def job(alice):
    return make.job(owner=alice, labels=("cat", "dog", "cow"))


def label(job: Job, name: str):
    return job.labels.get(name=name)


def put(job: Job, user, samples, *names: str):
    """Labels the samples as a person does."""
    chosen = Selection(ids=tuple(sample.pk for sample in samples))
    ids = [label(job, name).pk for name in names]
    return annotate(make.membership(job, user), chosen, add=ids)


def tile_ids(response) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="s(\d+)"', response.content.decode())]


def grid(client, job: Job, query: str = ""):
    return client.get(reverse("job", args=[job.pk]) + query)


def link(response, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', response.content.decode())
    return found and found[1].replace("&amp;", "&")


# The grid ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("query", ["", "?state=unlabeled"])
def test_a_page_of_a_hundred_tiles_takes_eight_statements(
    query, job, alice, django_assert_max_num_queries
):
    samples = make.images(job, 250)
    put(job, alice, samples[200:], "cat", "dog")
    predict(samples[0], ("cat", 0.9))
    client = make.client(alice)

    with django_assert_max_num_queries(GRID_STATEMENTS):
        response = grid(client, job, query)

    assert len(tile_ids(response)) == 100


def test_statements_do_not_grow_with_the_page(job, alice, django_assert_max_num_queries):
    samples = make.images(job, 200)
    put(job, alice, samples, "cat", "dog", "cow")
    client = make.client(alice)

    with django_assert_max_num_queries(GRID_STATEMENTS):
        response = grid(client, job, "?size=200&state=labeled")

    assert len(tile_ids(response)) == 200


@pytest.mark.parametrize(("query", "labels"), [("?state=all", ("cat",)), ("", ())])
def test_a_page_of_a_hundred_tiles_weighs_at_most_60_kb(query, labels, job, alice):
    samples = make.images(job, 101, folder="a-folder/of-some-length/")
    if labels:
        put(job, alice, samples, *labels)

    response = grid(make.client(alice), job, query)

    assert len(tile_ids(response)) == 100
    assert len(response.content) < 60_000


def test_a_tile_says_that_an_image_is_hard_and_that_nothing_applies(job, alice):
    hard, nothing, plain = make.images(job, 3)
    member = make.membership(job, alice)
    mark_hard(member, Selection(ids=(hard.pk,)), is_hard=True)
    annotate(member, Selection(ids=(nothing.pk,)), nothing=True)

    page = grid(make.client(alice), job, "?state=all")
    tiles = page.content.decode().split('<a class="tile"')[1:]

    assert ["tile-hard" in tile for tile in tiles[:2]] == [True, False]
    assert 'data-labels="0"' in tiles[1]
    assert "Nothing applies" in tiles[1]
    assert "data-labels" not in tiles[2].partition(">")[0]
    assert plain.pk == int(re.search(r'id="s(\d+)', tiles[2])[1])


def test_the_size_of_tiles_is_kept(job, alice):
    make.images(job, 1)
    client = make.client(alice)
    plain = grid(client, job).content.decode()
    client.cookies["labelhub_tile"] = "5"
    large = grid(client, job).content.decode()
    client.cookies["labelhub_tile"] = "<"

    assert ('data-tile="3"' in plain, 'data-tile="5"' in large) == (True, True)
    assert 'data-tile="3"' in grid(client, job).content.decode()


def test_next_reaches_every_image_while_each_page_is_labeled(job, alice):
    samples = make.images(job, 230)
    client, seen, query = make.client(alice), [], "?state=unlabeled&size=50"

    while query:
        response = grid(client, job, query)
        shown = tile_ids(response)
        seen += shown
        put(job, alice, job.samples.filter(pk__in=shown), "cat")
        following = link(response, "next")
        query = following and "?" + following.partition("?")[2]

    assert seen == [sample.pk for sample in samples]


def test_previous_goes_back_by_one_page(job, alice):
    samples = [sample.pk for sample in make.images(job, 130)]
    client = make.client(alice)

    third = grid(client, job, f"?size=50&cursor={Cursor(ADDED, None, samples[99]).encode()}")
    second = client.get(link(third, "prev"))
    first = client.get(link(second, "prev"))

    assert tile_ids(third) == samples[100:]
    assert tile_ids(second) == samples[50:100]
    assert tile_ids(first) == samples[:50]
    assert link(first, "prev") is None
    assert link(third, "next") is None


def test_the_page_size_is_remembered(job, alice):
    make.images(job, 60)
    client = make.client(alice)

    grid(client, job, "?size=50")

    assert len(tile_ids(grid(client, job))) == 50
    assert len(tile_ids(grid(client, job, "?size=7"))) == 50


def test_tabs_keep_the_other_filters_and_show_counts(job, alice):
    samples = make.images(job, 5)
    put(job, alice, samples[:2], "cat")

    response = grid(make.client(alice), job, f"?label={label(job, 'cat').pk}&state=labeled")

    assert tile_ids(response) == [samples[0].pk, samples[1].pk]
    assertContains(response, 'data-count="state:unlabeled">3<')
    assertContains(response, 'data-count="state:labeled">2<')
    assertContains(response, f"?state=unlabeled&amp;label={label(job, 'cat').pk}")


def test_a_tile_shows_its_labels_and_how_many_more(job, alice):
    (sample,) = make.images(job, 1)
    put(job, alice, [sample], "cat", "dog", "cow")

    response = grid(make.client(alice), job, "?state=all")

    labels = " ".join(str(one.pk) for one in job.labels.all())
    assertContains(response, f'data-labels="{labels}"')
    assertContains(response, '<span class="chip">+1</span>', html=True)


def test_a_tile_without_labels_shows_the_best_suggestion_by_its_name_in_the_job(job, alice):
    first, second = make.images(job, 2)
    predict(first, ("tabby cat", 0.91), ("dog", 0.05))
    predict(second, ("dog", 0.7))
    put(job, alice, [second], "cat")

    response = grid(make.client(alice), job)

    assertContains(response, 'data-prediction="tabby cat"', count=1)
    assertContains(response, "tabby_cat")
    assertContains(response, "0.91")
    assertNotContains(response, "0.70")


def test_a_filter_that_makes_no_sense_finds_nothing(job, alice):
    make.images(job, 3)

    response = grid(make.client(alice), job, "?state=wonderful")

    assert tile_ids(response) == []


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=WzEsMCwiYSJd", "cursor=W10", "cursor=é", "after=3", "sort=size"]
)
def test_a_place_that_makes_no_sense_is_the_first_page(query, job, alice):
    samples = make.images(job, 3)

    response = grid(make.client(alice), job, f"?{query}")

    assert tile_ids(response) == [sample.pk for sample in samples]


def test_an_empty_job_offers_images_to_those_who_may_add_them(job, alice, bob):
    make.member(job, bob, Role.LABELER)
    address = reverse("add_data", args=[job.pk])

    assertContains(grid(make.client(alice), job), address)
    assertNotContains(grid(make.client(bob), job), address)


def test_a_finished_job_says_so(job, alice):
    put(job, alice, make.images(job, 2), "cat")

    response = grid(make.client(alice), job, "?state=unlabeled")

    assertContains(response, "images are labeled")


# Tiles by id -------------------------------------------------------------------------------------
def test_tiles_by_id_are_those_of_the_grid(job, alice):
    samples = make.images(job, 3)
    put(job, alice, samples[:1], "cat")
    client = make.client(alice)
    ids = f"{samples[2].pk},{samples[0].pk}"

    response = client.get(reverse("tiles", args=[job.pk]) + f"?ids={ids}")

    page = grid(client, job, "?state=all").content.decode()
    assert tile_ids(response) == [samples[0].pk, samples[2].pk]
    for tile in response.content.decode().strip().splitlines():
        assert tile in page


def test_a_tile_that_left_the_list_is_marked(job, alice):
    samples = make.images(job, 2)
    put(job, alice, samples[:1], "cat")
    ids = ",".join(str(sample.pk) for sample in samples)

    response = make.client(alice).get(
        reverse("tiles", args=[job.pk]) + f"?state=unlabeled&ids={ids}"
    )

    assertContains(response, "data-done", count=1)


def test_tiles_of_another_job_are_not_shown(job, alice):
    other = make.images(make.job(owner=alice), 1)

    response = make.client(alice).get(reverse("tiles", args=[job.pk]) + f"?ids={other[0].pk}")

    assert tile_ids(response) == []


@pytest.mark.parametrize("ids", ["", "1,x", ",".join(["1"] * 201), "1,-2"])
def test_tiles_want_at_most_200_numbers(ids, job, alice):
    response = make.client(alice).get(reverse("tiles", args=[job.pk]) + f"?ids={ids}")

    assert response.status_code == 400


# Labels ------------------------------------------------------------------------------------------
def test_adding_a_label_answers_with_the_panel(job, alice):
    response = make.client(alice, **HTMX).post(
        reverse("label_list", args=[job.pk]), {"name": "horse"}
    )

    assertContains(response, "horse")
    assert label(job, "horse").position == 3


def test_a_refused_label_stays_in_the_field_with_the_reason(job, alice):
    response = make.client(alice, **HTMX).post(
        reverse("label_list", args=[job.pk]), {"name": "wild horse"}
    )

    assertContains(response, "wild_horse", status_code=422)
    assertContains(response, 'value="wild horse"', status_code=422)
    assert job.labels.count() == 3


def test_without_scripts_a_label_is_added_and_the_job_shown(job, alice):
    client = make.client(alice)

    done = client.post(reverse("label_list", args=[job.pk]), {"name": "horse"})
    refused = client.post(reverse("label_list", args=[job.pk]), {"name": "wild horse"})

    assertRedirects(done, reverse("job", args=[job.pk]), fetch_redirect_response=False)
    assert job.labels.filter(name="horse").exists()
    assert "wild_horse" in str(list(get_messages(refused.wsgi_request))[0])


# The viewer --------------------------------------------------------------------------------------
def predict(sample, *labels: tuple[str, float]) -> Prediction:
    return Prediction.objects.create(
        sample=sample,
        model="PPLCNetV2",
        numeric_mode="fp32",
        labels=[list(pair) for pair in labels],
        created_at=timezone.now(),
    )


def view(client, sample, query: str = ""):
    return client.get(reverse("sample", args=[sample.job_id, sample.pk]) + query)


def test_the_viewer_goes_on_under_the_same_filters(job, alice):
    samples = make.images(job, 5)
    put(job, alice, [samples[1], samples[3]], "cat")

    response = view(make.client(alice), samples[2], "?state=unlabeled")

    def address(at: int) -> str:
        return reverse("sample", args=[job.pk, samples[at].pk]) + "?state=unlabeled"

    assert response.context["previous"] == address(0)
    assert response.context["next"] == address(4)
    assert response.context["ahead"] == [address(4), address(0)]


def test_the_viewer_keeps_the_place_of_an_image_that_left_the_list(job, alice):
    samples = make.images(job, 3)
    put(job, alice, [samples[1]], "cat")

    response = view(make.client(alice), samples[1], "?state=unlabeled")

    assert response.context["next"].startswith(reverse("sample", args=[job.pk, samples[2].pk]))


def test_the_viewer_ends_at_the_last_image(job, alice):
    samples = make.images(job, 2)

    response = view(make.client(alice), samples[1])

    assert response.context["next"] == ""


def test_a_script_gets_the_parts_of_the_image_alone(job, alice):
    (sample,) = make.images(job, 1)

    response = view(make.client(alice, **HTMX), sample)

    parts = re.findall(r'data-part="(\w+)"', response.content.decode())
    assert parts == ["bar", "stage", "tools", "strip", "offers", "facts"]
    assertNotContains(response, "<html")
    assert "HX-Request" in response["Vary"]


def test_the_viewer_says_who_labeled_and_what_the_model_thinks(job, alice, bob):
    (sample,) = make.images(job, 1)
    make.member(job, bob, Role.LABELER)
    put(job, alice, [sample], "cat")
    predict(sample, ("dog", 0.8), ("sea lion", 0.1))

    as_alice = view(make.client(alice), sample)
    as_bob = view(make.client(bob), sample)

    assertContains(as_alice, "Alice")
    offers = {offer.suggestion.name: offer for offer in as_bob.context["offers"]}
    assert offers["dog"].refusal == ""
    assert offers["sea lion"].suggestion.label_name == "sea_lion"
    assert "reviewers" in offers["sea lion"].refusal
    assert [offer.refusal for offer in as_alice.context["offers"]] == ["", ""]


def test_statements_of_the_viewer_do_not_grow_with_labels(
    job, alice, django_assert_max_num_queries
):
    (sample,) = make.images(job, 1)
    put(job, alice, [sample], "cat", "dog", "cow")
    predict(sample, ("dog", 0.8), ("cow", 0.1))
    client = make.client(alice)

    with django_assert_max_num_queries(11):
        view(client, sample)


def test_the_viewer_shows_five_neighbours_on_either_side_and_loads_three(job, alice):
    samples = make.images(job, 14)

    context = view(make.client(alice), samples[6]).context

    assert [frame.pk for frame in context["frames"]] == [one.pk for one in samples[1:12]]
    assert len(context["ahead"]) == 3


def next_unlabeled(client, sample, query: str = "", **headers):
    return client.get(reverse("next_unlabeled", args=[sample.job_id, sample.pk]) + query, **headers)


def test_the_next_unlabeled_image_is_behind_this_one_or_else_the_first(job, alice):
    samples = make.images(job, 5)
    put(job, alice, [samples[1], samples[3], samples[4]], "cat")
    client = make.client(alice)

    behind = next_unlabeled(client, samples[1], "?contains=image")
    first = next_unlabeled(client, samples[2], HTTP_HX_REQUEST="true")

    assert behind.url == reverse("sample", args=[job.pk, samples[2].pk]) + "?contains=image"
    assert first.content.decode() == reverse("sample", args=[job.pk, samples[0].pk])


def test_where_no_unlabeled_image_is_left_the_viewer_stays_and_says_so(job, alice):
    (sample,) = make.images(job, 1)
    client = make.client(alice)

    assert next_unlabeled(client, sample, HTTP_HX_REQUEST="true").content == b""
    response = client.get(reverse("next_unlabeled", args=[job.pk, sample.pk]), follow=True)
    assertContains(response, "No unlabeled image is left.")


def test_the_viewer_says_what_is_odd_about_the_file(job, alice):
    (sample,) = make.images(job, 1)
    sample.image.problem = "several-frames"
    sample.image.save()

    assertContains(view(make.client(alice), sample), "only the first is shown")


def test_numbers_are_never_newer_than_the_tiles_beside_them(alice, monkeypatch):
    """Else a page that is read while an import ends would show 3 images and no tile for ever."""
    job = make.job(owner=alice)
    read_page = pages.read_page

    def read_while_an_import_ends(*args):
        page = read_page(*args)
        make.images(job, 3)
        return page

    monkeypatch.setattr("jobs.surfaces.pages.read_page", read_while_an_import_ends)

    answer = make.client(alice).get(f"/jobs/{job.pk}/")

    assert answer.context["tiles"] == []
    assert answer.context["counts"] == {}
