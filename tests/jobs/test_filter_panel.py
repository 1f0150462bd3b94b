"""The panel with all filters, the tabs, the menu of orders, and what is said of senseless ones."""

import re
from urllib.parse import parse_qs

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from annotators.roles import Role
from jobs.filters import FILTERS
from jobs.finding import panel, values
from jobs.models import Sample
from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from tests import make

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
PANEL_STATEMENTS = 10


@pytest.fixture
def job(alice, bob):
    made = make.job(owner=alice, labels=("cat", "dog", "cow"))
    make.member(made, bob, Role.LABELER)
    return made


def grid(client, job, query: str = "", **more):
    return client.get(reverse("job", args=[job.pk]) + query, **more)


def open_panel(client, job, query: str = ""):
    return client.get(reverse("filters", args=[job.pk]) + query, **HTMX)


def put(job, user, samples, *names: str):
    chosen = Selection(ids=tuple(sample.pk for sample in samples))
    ids = [job.labels.get(name=name).pk for name in names]
    annotate(make.membership(job, user), chosen, add=ids)


def shown(response) -> list[str]:
    return [tile.name for tile in response.context["tiles"]]


def current_tab(response) -> str:
    return re.search(r'class="tab" href="[^"]*" aria-current="page">([^<]+?) <', _tabs(response))[1]


def _tabs(response) -> str:
    return response.content.decode().partition('aria-label="Which images"')[2]


# Tabs --------------------------------------------------------------------------------------------
def test_the_address_of_a_job_opens_what_is_unlabeled(job, alice):
    samples = make.images(job, 3)
    put(job, alice, samples[:1], "cat")
    client = make.client(alice)

    bare, everything = grid(client, job), grid(client, job, "?state=all")

    assert current_tab(bare) == "Unlabeled"
    assert len(shown(bare)) == 2
    assert current_tab(everything) == "All"
    assert len(shown(everything)) == 3


def test_the_job_list_and_the_job_lead_to_what_is_unlabeled(job, alice):
    make.images(job, 1)
    client = make.client(alice)

    assertContains(client.get(reverse("job_list")), f'href="/jobs/{job.pk}/"')
    assertContains(grid(client, job, "?state=labeled"), f'class="tab" href="/jobs/{job.pk}/" aria')


def test_where_all_is_labeled_the_next_step_is_offered(job, alice):
    put(job, alice, make.images(job, 2), "cat")

    page = grid(make.client(alice), job)

    assertContains(page, "All 2 images are labeled")
    assertContains(page, f'href="/jobs/{job.pk}/export/"')
    assertContains(page, f'href="/jobs/{job.pk}/?state=labeled"')


def test_an_empty_job_says_so_whatever_the_tab(job, alice):
    client = make.client(alice)

    assertContains(grid(client, job), "No images yet")
    assertContains(grid(client, job, "?state=all"), "No images yet")


def test_all_and_unlabeled_keep_filters_order_and_page_size(job, alice):
    make.images(job, 1)

    page = grid(make.client(alice), job, "?state=labeled&hard=1&sort=-path&size=50")

    tabs = dict(re.findall(r'class="tab" href="([^"]+)"[^>]*>(\w+)', _tabs(page)))
    addresses = {name: address.replace("&amp;", "&") for address, name in tabs.items()}
    assert addresses["All"] == f"/jobs/{job.pk}/?hard=1&sort=-path&size=50"
    assert addresses["Unlabeled"] == f"/jobs/{job.pk}/?state=unlabeled&hard=1&sort=-path&size=50"


def test_every_way_back_to_all_images_says_all(job, alice):
    samples = make.images(job, 2)
    client = make.client(alice)

    page = grid(client, job, "?hard=1").content.decode()
    viewer = client.get(reverse("sample", args=[job.pk, samples[0].pk]))

    # The chip and "Clear all"; the way back from an image.
    assert page.count(f'href="/jobs/{job.pk}/?state=all"') >= 3
    assertContains(viewer, f'href="/jobs/{job.pk}/?state=all#s{samples[0].pk}"')


def test_an_empty_query_of_a_selection_is_everything(job, alice):
    make.images(job, 3)
    client = make.client(alice)
    json = {"content_type": "application/json"}

    for query in ("", "state=all"):
        answer = client.post(f"/api/jobs/{job.pk}/selection/", {"query": query}, **json)
        assert answer.json()["count"] == 3
    assert len(client.get(f"/api/jobs/{job.pk}/samples/").json()["results"]) == 3
    assert len(client.get(f"/api/jobs/{job.pk}/samples/?state=all").json()["results"]) == 3


# Addresses ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("state=all&name=&label=3&label=-5&hard=", "label=3,-5"),
        ("state=all&label_mode=&name=", "state=all"),
        ("state=all&hard=1", "hard=1"),
        ("state=labeled&path=a&path=a/b&exact=", "state=labeled&path=a/b"),
        ("hard=1&sort=-path&size=50&by=", "hard=1&sort=-path&size=50"),
        ("labeled_after=2026-01-01&labeled_after=7d", "labeled_after=7d"),
    ],
)
def test_what_a_form_without_scripts_sends_becomes_one_address(sent, kept, job, alice):
    response = grid(make.client(alice), job, f"?{sent}")

    assertRedirects(response, f"/jobs/{job.pk}/?{kept}", fetch_redirect_response=False)
    assert grid(make.client(alice), job, f"?{kept}").status_code == 200


def test_clear_all_keeps_the_tab_the_order_and_the_page_size(job, alice):
    make.images(job, 1)

    page = grid(make.client(alice), job, "?state=labeled&hard=1&name=a&sort=-path&size=50")

    assertContains(
        page, f'href="/jobs/{job.pk}/?state=labeled&amp;sort=-path&amp;size=50">Clear all</a>'
    )
    assertNotContains(grid(make.client(alice), job, "?state=labeled"), ">Clear all</a>")


def test_where_nothing_matches_on_a_tab_all_images_can_be_looked_through(job, alice):
    make.images(job, 1)

    page = grid(make.client(alice), job, "?state=labeled&name=image")

    assertContains(page, "No images match")
    assertContains(page, f'href="/jobs/{job.pk}/?name=image">Look in all images</a>')


# Orders ------------------------------------------------------------------------------------------
def test_the_menu_of_orders_keeps_filters_and_marks_the_one_of_the_page(job, alice):
    make.images(job, 1)

    page = grid(make.client(alice), job, "?state=labeled&hard=1&sort=-time&size=50")

    kept = "state=labeled&amp;hard=1"
    assertContains(page, f"?{kept}&amp;sort=path&amp;size=50")
    assertContains(page, f"?{kept}&amp;size=50")
    assertContains(page, 'sort=-time&amp;size=50" aria-current="true">Labeled, newest first')


def test_the_newest_images_can_come_first(job, alice):
    ids = [str(sample.pk) for sample in make.images(job, 60)]
    client, query, seen = make.client(alice), "?sort=-added&size=50", []

    while query:
        page = grid(client, job, query)
        seen += [tile.pk for tile in page.context["tiles"]]
        following = page.context["page"].next
        query = following and f"?{following.query()}"

    assert seen == ids[::-1]


# What makes no sense -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("score_min=high", "<b>Score at least</b><bdi"),
        ("score_min=high", "Enter a number."),
        ("state=lost", "<b>State</b><bdi"),
        ("labeled_after=soon", "Write a day (2026-01-31)"),
        ("label=cat", "Write ids of labels"),
        ("label=999999", "This job has no label with the number 999999."),
        ("by=999999", "Nobody in this job has the number 999999."),
        ("split=half", "half is not one of the available choices"),
        ("label_mode=some", "<b>Any or all labels</b>"),
    ],
)
def test_a_senseless_filter_is_named_with_the_reason_and_the_way_to_remove_it(
    query, says, job, alice
):
    make.images(job, 1)

    page = grid(make.client(alice), job, f"?{query}&hard=1")

    assertContains(page, says)
    assertContains(page, f'href="/jobs/{job.pk}/?hard=1">Remove</a>')
    assert shown(page) == []


@pytest.mark.parametrize("query", ["by={by}.0", "by=+{by}", "label=none+", "label=+{label}"])
def test_values_are_read_as_the_filters_read_them(query, job, alice):
    put(job, alice, make.images(job, 1), "cat")
    query = query.format(by=alice.pk, label=job.labels.first().pk)

    page = grid(make.client(alice), job, f"?{query}")

    assert page.context["active"].problems == []
    assert page.context["active"].chips[0].value in ("Alice", "none", "cat")


def test_a_person_who_left_is_still_named(job, alice, bob):
    put(job, bob, make.images(job, 1), "cat")
    job.members.filter(user=bob).delete()

    page = grid(make.client(alice), job, f"?by={bob.pk}")

    assertContains(page, '<span class="chip-name" dir="auto">Bob</span>')
    assert len(shown(page)) == 1


# The panel ---------------------------------------------------------------------------------------
def test_every_filter_has_its_control(job, alice):
    make.images(job, 1)

    text = open_panel(make.client(alice), job).content.decode()

    controls = set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', text))
    assert set(FILTERS) <= controls


def test_the_panel_shows_what_is_set(job, alice):
    samples = make.images(job, 2, folder="a/")
    put(job, alice, samples, "cat")
    cat, dog, _cow = job.labels.all()
    query = (
        f"?state=labeled&label={cat.pk},-{dog.pk}&label_mode=all&hard=0&name=x&path=a&exact=1"
        f"&by={alice.pk}&labeled_after=7d&added_before=2026-01-31&score_min=0.5&split=val&agrees=0"
        "&problem=missing&sort=-path&size=50"
    )

    text = open_panel(make.client(alice), job, query).content.decode()

    for control in (
        'name="state" value="labeled"',
        'name="sort" value="-path"',
        'name="size" value="50"',
        f'name="label" value="{cat.pk}" checked',
        f'name="label" value="-{dog.pk}" checked',
        'name="label_mode" value="all" checked',
        'name="hard" value="0" checked',
        'name="name" value="x"',
        'name="path" value="a"',
        'name="exact" value="1" checked',
        f'<option value="{alice.pk}" selected>Alice (you) · 2</option>',
        'name="labeled_after" value="7d" data-instead="labeled_after" checked',
        'type="date" name="added_before" value="2026-01-31"',
        'value="0.5"',
        '<option value="val" selected>',
        'name="agrees" value="0" checked',
        '<option value="missing" selected>',
    ):
        assert control in text, control
    assert f'name="label" value="{dog.pk}" checked' not in text


def test_counts_of_labels_people_and_hard_examples_stand_beside_them(job, alice):
    samples = make.images(job, 5)
    put(job, alice, samples[:3], "cat")
    mark_hard(make.membership(job, alice), Selection(ids=(samples[0].pk,)), is_hard=True)

    page = open_panel(make.client(alice), job)

    counts = {label.name: label.count for label in page.context["labels"]}
    assert counts == {"cat": 3, "dog": 0, "cow": 0}
    assert page.context["hard_count"] == 1
    assert page.context["labelless_count"] == 2
    assert [(str(who), number) for who, number in page.context["people"]] == [
        ("Alice", 3),
        ("Bob", 0),
    ]


def test_a_labeler_may_filter_by_the_own_work_alone(job, alice, bob):
    put(job, alice, make.images(job, 1), "cat")

    page = open_panel(make.client(bob), job)

    assert [str(who) for who, _number in page.context["people"]] == ["Bob"]
    assertNotContains(page, "Alice")


def test_folders_are_offered_level_by_level(job, alice):
    for folder in ("", "a/", "a/x/", "a/x/deep/", "a b/", "a0/", "a-b/c/", "猫/狗/"):
        make.images(job, 2, folder=folder)
    Sample.objects.filter(path__startswith="a0/").update(trashed_at=timezone.now())

    def inside(path: str) -> list[str]:
        return [name for name, _path in panel.folders_of(member, path).inside]

    member = make.membership(job, alice)
    assert sorted(inside("")) == sorted(["a/", "a b/", "a-b/", "猫/"])
    assert inside("a") == ["x/"]
    assert inside("/a/x/") == ["deep/"]
    assert inside("猫") == ["狗/"]
    assert inside("nowhere") == []
    assert panel.folders_of(member, "a/x").above == "a"
    assert panel.folders_of(member, "").above is None


def test_many_folders_end_in_saying_so(job, alice, monkeypatch):
    for number in range(5):
        make.images(job, 1, folder=f"{number}/")
    monkeypatch.setattr(values, "MOST_CHOICES", 3)
    monkeypatch.setattr(panel, "MOST_CHOICES", 3)

    page = open_panel(make.client(alice), job)

    assert len(page.context["folders"].inside) == 3
    assertContains(page, "There are more: type the folder.")


def test_predicted_labels_are_offered_once_each(job, alice):
    samples = make.images(job, 6)
    for sample, name in zip(samples, ("tabby", "zebra", "tabby", "", "ant", "zebra"), strict=True):
        Sample.objects.filter(pk=sample.pk).update(top_name=name)

    assert values.predicted_names(job) == ["ant", "tabby", "zebra"]
    assertContains(open_panel(make.client(alice), job), "<option>tabby</option>")


def test_of_many_labels_some_are_shown_with_those_that_are_chosen_and_others_are_found(alice):
    job = make.job(owner=alice, labels=[f"label-{number:03d}" for number in range(100)])
    last, client = job.labels.last(), make.client(alice)

    opened = open_panel(client, job, f"?label={last.pk}")
    found = client.get(
        reverse("filter_labels", args=[job.pk]) + f"?find=-05&label={last.pk}", **HTMX
    )
    whole = client.get(reverse("filters", args=[job.pk]))

    assert opened.context["labels"][0].pk == last.pk
    assert len(opened.context["labels"]) == panel.LABELS_SHOWN
    assertContains(opened, "and 60 more")
    names = [label.name for label in found.context["labels"]]
    assert names == ["label-099", *[f"label-05{number}" for number in range(10)]]
    # Without scripts nothing can be found: all are there.
    assert len(whole.context["labels"]) == 100


def test_without_scripts_the_filters_are_a_page_with_a_button(job, alice):
    make.images(job, 1)
    client = make.client(alice)

    page = client.get(reverse("filters", args=[job.pk]) + "?hard=1")

    assertContains(page, "<!doctype html>")
    assertContains(page, "Apply")
    assertContains(page, f'href="/jobs/{job.pk}/?hard=1"')


def test_the_first_button_of_the_form_says_nothing(job, alice):
    """Enter in a field presses it: were it one of a folder, that folder would be chosen."""
    make.images(job, 1, folder="a/")

    text = open_panel(make.client(alice), job).content.decode().partition("data-filter-form")[2]

    assert 'name="path" value="a"' in text
    assert "name=" not in re.search(r"<button[^>]*>", text)[0]


def test_the_panel_is_open_where_it_was_left_open(job, alice):
    client = make.client(alice)
    client.cookies["labelhub_filters"] = "open"

    assertContains(grid(client, job), "data-open")
    assertNotContains(grid(make.client(alice), job), "data-open")


def test_statements_of_the_panel_do_not_grow(job, alice, django_assert_max_num_queries):
    put(job, alice, make.images(job, 30, folder="a/b/"), "cat")
    cat, client = job.labels.first(), make.client(alice)
    query = f"?label={cat.pk}&path=a&score_min=0.5"

    with django_assert_max_num_queries(PANEL_STATEMENTS):
        page = open_panel(client, job, query)

    assert parse_qs(page.context["here"])["label"] == [str(cat.pk)]
