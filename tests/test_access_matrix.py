"""Every address of a job × every role × a child of another job. A new route without a row here
fails the first test."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotators import services as people_services
from annotators.models import Invitation, User
from annotators.roles import Ability, Role, can
from jobs import services as job_services
from jobs.description import pictures
from jobs.finding.saved import save_view
from jobs.selection import Selection
from labels.hard import mark_hard
from tests import make

pytestmark = pytest.mark.django_db

PAGE, API = "page", "api"


@dataclass(frozen=True)
class Row:
    """One route and method. `child` is the part of the address that belongs to a job besides the
    job itself; `body` is sent as JSON to the API and as a form to pages."""

    name: str
    method: str
    ability: Ability
    child: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    query: str = ""

    @property
    def id(self) -> str:
        return f"{self.method} {self.name}"


ROWS = [
    # Pages
    Row("job", "get", Ability.VIEW),
    Row("tiles", "get", Ability.VIEW, query="?ids=1"),
    Row("label_list", "get", Ability.VIEW),
    Row("palette", "get", Ability.VIEW),
    Row("add_data", "get", Ability.ADD_DATA),
    Row("add_data", "post", Ability.ADD_DATA),
    Row("job_folders", "get", Ability.ADD_DATA),
    Row("synchronize", "post", Ability.ADD_DATA),
    Row("import_list", "get", Ability.ADD_DATA),
    Row("run_report", "get", Ability.VIEW, child="run"),
    Row("sample", "get", Ability.VIEW, child="sample"),
    Row("next_unlabeled", "get", Ability.VIEW, child="sample"),
    Row("thumbnail", "get", Ability.VIEW, child="sample"),
    Row("tile", "get", Ability.VIEW, child="sample"),
    Row("image", "get", Ability.VIEW, child="sample"),
    Row("selected", "post", Ability.VIEW, body={"ids": []}),
    Row("trash", "get", Ability.DELETE_IMAGES),
    Row("trash", "post", Ability.DELETE_IMAGES, body={"restore": "all"}),
    Row("deletion", "post", Ability.DELETE_IMAGES, body={"ids": []}),
    Row("export", "get", Ability.EXPORT),
    Row("export", "post", Ability.EXPORT, body={"train": 80, "val": 10, "test": 10, "seed": 0}),
    Row("run", "get", Ability.VIEW, child="run"),
    Row("run", "post", Ability.EXPORT, child="run", body={"command": "cancel"}),
    Row("download", "get", Ability.EXPORT, child="run"),
    Row("history", "get", Ability.VIEW),
    Row("history_undo", "post", Ability.UNDO_OTHERS, child="change"),
    Row("sample_history", "get", Ability.VIEW, child="sample"),
    Row("members", "get", Ability.SEE_MEMBERS),
    Row("members", "post", Ability.MANAGE_MEMBERS, body={"email": "e@x.org", "role": "labeler"}),
    Row("member_role", "post", Ability.MANAGE_MEMBERS, child="member", body={"role": "reviewer"}),
    Row("member_remove", "post", Ability.MANAGE_MEMBERS, child="member"),
    Row("invitation_revoke", "post", Ability.MANAGE_MEMBERS, child="invitation"),
    Row("labelset", "get", Ability.VIEW),
    Row("labelset_run", "get", Ability.VIEW),
    Row("labelset_add", "post", Ability.CREATE_LABEL, body={"labels": "fox"}),
    Row("labelset_preview", "post", Ability.CREATE_LABEL, body={"labels": "fox"}),
    Row("labelset_sort", "post", Ability.MANAGE_LABELS, body={"by": "name"}),
    Row("labelset_edit", "post", Ability.MANAGE_LABELS, child="label", body={"name": "kitten"}),
    Row("labelset_move", "post", Ability.MANAGE_LABELS, child="label", body={"to": 1}),
    Row("labelset_merge", "get", Ability.MANAGE_LABELS),
    Row("labelset_merge", "post", Ability.MANAGE_LABELS),
    Row("labelset_delete", "get", Ability.MANAGE_LABELS),
    Row("labelset_delete", "post", Ability.MANAGE_LABELS),
    Row("labelset_undo", "post", Ability.MANAGE_LABELS, body={"change": 1}),
    Row("job_settings", "get", Ability.EDIT_JOB),
    Row("job_settings", "post", Ability.EDIT_JOB, body={"name": "Beasts"}),
    Row("description_preview", "post", Ability.EDIT_JOB, body={"instructions": "Look."}),
    Row("description", "get", Ability.VIEW),
    Row("description_seen", "post", Ability.VIEW),
    Row("description_pictures", "post", Ability.EDIT_JOB, body={"remove": "a"}),
    Row("description_picture", "get", Ability.VIEW),
    Row("filters", "get", Ability.VIEW),
    Row("filter_labels", "get", Ability.VIEW),
    Row("views", "post", Ability.VIEW, body={"name": "Easy", "query": "hard=0"}),
    # Of everybody in the job; views of one person are in tests/jobs/test_saved_views.py.
    Row("view", "post", Ability.EDIT_JOB, child="view", body={"name": "Hardest"}),
    # API
    Row("api_views", "get", Ability.VIEW),
    Row("api_views", "post", Ability.VIEW, body={"name": "Easy", "query": "hard=0"}),
    Row("api_view", "get", Ability.VIEW, child="view"),
    Row("api_view", "patch", Ability.EDIT_JOB, child="view", body={"name": "Hardest"}),
    Row("api_view", "delete", Ability.EDIT_JOB, child="view"),
    Row("api_job", "get", Ability.VIEW),
    Row("api_label", "patch", Ability.MANAGE_LABELS, child="label", body={"name": "kitten"}),
    Row("api_label", "delete", Ability.MANAGE_LABELS, child="label"),
    Row("api_label_order", "post", Ability.MANAGE_LABELS, body={"by": "name"}),
    Row("api_label_merge", "post", Ability.MANAGE_LABELS, child="label", body={"into": 0}),
    Row("api_label_merge_preview", "post", Ability.MANAGE_LABELS, child="label", body={"into": 0}),
    Row("api_labels_delete", "post", Ability.MANAGE_LABELS, body={"labels": [0]}),
    Row("api_instructions", "get", Ability.VIEW),
    Row("api_instructions", "put", Ability.EDIT_JOB, body={"text": "Look."}),
    Row("api_samples", "get", Ability.VIEW),
    Row("api_sample", "get", Ability.VIEW, child="sample"),
    Row("api_annotate", "post", Ability.LABEL, body={"ids": [], "clear": True}),
    Row("api_hard", "post", Ability.LABEL, body={"ids": [], "is_hard": True}),
    Row("api_trash", "post", Ability.DELETE_IMAGES, body={"ids": []}),
    Row("api_restore", "post", Ability.DELETE_IMAGES, body={"ids": []}),
    Row("api_deletion", "post", Ability.DELETE_FILES, body={"ids": [], "expected": 0}),
    Row("api_deletion_preview", "post", Ability.DELETE_FILES, body={"ids": []}),
    Row("api_deletion_test", "post", Ability.DELETE_FILES),
    Row("api_sample_labels", "post", Ability.LABEL, "sample", {"labels": [], "version": 0}),
    Row("api_sample_history", "get", Ability.VIEW, child="sample"),
    Row("api_selection", "post", Ability.VIEW, body={"query": ""}),
    Row("api_changes", "get", Ability.VIEW),
    Row("api_change_undo", "post", Ability.UNDO_OTHERS, child="change"),
    Row("api_undo", "post", Ability.LABEL),
    Row("api_redo", "post", Ability.LABEL),
    Row("api_labels", "get", Ability.VIEW),
    Row("api_labels", "post", Ability.CREATE_LABEL, body={"name": "cow"}),
    Row("api_predict", "post", Ability.PREDICT, body={"ids": [10**9]}),
    Row("api_accept", "post", Ability.LABEL, child="sample", body={"name": "cat"}),
    Row("api_reject", "post", Ability.LABEL, child="sample", body={"name": "cat"}),
    Row("api_uploads", "put", Ability.ADD_DATA, query="?path=a.jpg"),
    Row("api_uploads", "get", Ability.ADD_DATA, query="?path=a.jpg&size=1&modified=1"),
    Row("api_uploads", "delete", Ability.ADD_DATA, query="?path=a.jpg&size=1&modified=1"),
    Row("api_uploads_known", "post", Ability.ADD_DATA, body={"files": []}),
    Row("api_synchronize", "post", Ability.ADD_DATA),
    Row("api_imports", "get", Ability.ADD_DATA),
    Row("api_imports", "post", Ability.ADD_DATA, body={"state": "unlabeled"}),
    Row("api_import_preview", "post", Ability.ADD_DATA, body={"state": "unlabeled"}),
    Row("api_exports", "post", Ability.EXPORT, body={"format": "paddleclas"}),
    Row("api_runs", "get", Ability.VIEW),
    Row("api_run", "get", Ability.VIEW, child="run"),
    Row("api_run_problems", "get", Ability.VIEW, child="run"),
    Row("api_run_cancel", "post", Ability.EXPORT, child="run"),
    Row("api_run_retry", "post", Ability.EXPORT, child="run"),
    Row("api_members", "get", Ability.SEE_MEMBERS),
    Row("api_member", "patch", Ability.MANAGE_MEMBERS, child="member", body={"role": "reviewer"}),
    Row("api_member", "delete", Ability.MANAGE_MEMBERS, child="member"),
    Row("api_invitations", "get", Ability.MANAGE_MEMBERS),
    Row(
        "api_invitations",
        "post",
        Ability.MANAGE_MEMBERS,
        body={"email": "e@x.org", "role": "labeler"},
    ),
    Row("api_invitation", "delete", Ability.MANAGE_MEMBERS, child="invitation"),
]
EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
# What a request may answer that passed the gate: anything but "who are you", "no" and "nothing
# there". An undo without a change to undo, say, is 409; a download of a run not done 404 is not.
GATE = {302, 401, 403, 404}


def job_routes(resolver: URLResolver | None = None) -> set[str]:
    """Names of all routes with a job in their address."""
    names = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            names |= job_routes(pattern)
        elif isinstance(pattern, URLPattern) and "job_id" in str(pattern.pattern):
            names.add(pattern.name)
    return names


def test_every_route_of_a_job_has_its_row():
    assert job_routes() == {row.name for row in ROWS}


@dataclass
class World:
    """A job with one child of each kind. The change is of the colleague."""

    job: Any
    sample: Any
    run: Any
    change: Any
    member: Any
    invitation: Any
    label: Any
    view: Any
    picture: str


def world(owner: User, colleague: User) -> World:
    job = make.job(owner=owner, labels=("cat", "dog"))
    (sample,) = make.images(job, 1, files=True)
    options = {"format": "paddleclas", "ratios": [100, 0, 0], "seed": 0, "with_images": False}
    run = job_services.start_export(job, by=owner, options=options)
    make.finish_runs()
    member = make.member(job, colleague, Role.LABELER)
    marked = mark_hard(make.membership(job, colleague), Selection(query=""), is_hard=True)
    people_services.invite(
        job.members.select_related("user", "job").get(user=owner),
        email=f"new-{job.pk}@example.org",
        role=Role.LABELER,
    )
    picture = pictures.keep(job, SimpleUploadedFile("a.jpg", make.picture()))
    invitation = Invitation.objects.get(job=job)
    label = job.labels.first()
    view = save_view(make.membership(job, owner), name="Hard", query="hard=1", is_shared=True)
    return World(job, sample, run, marked.change, member, invitation, label, view, picture)


@pytest.fixture
def here(alice, bob):
    return world(alice, bob)


def send(client, row: Row, job_world: World, child_world: World | None = None):
    """The request of the row on a job, with a child of `child_world` (of the same job if none)."""
    child_world = child_world or job_world
    kwargs, body = {"job_id": job_world.job.pk}, dict(row.body)
    if row.child:
        pk = getattr(child_world, row.child).pk
        # The addresses whose child comes in the body.
        if row.name in ("api_accept", "api_reject"):
            body["sample"] = pk
        else:
            kwargs[f"{row.child}_id"] = pk
    if row.name == "thumbnail":
        kwargs |= {"size": "tile", "key": "any"}
    if row.name == "tile":
        kwargs["key"] = "any"
    if row.name == "description_picture":
        kwargs["name"] = job_world.picture
    address = reverse(row.name, kwargs=kwargs) + row.query
    is_api = row.name.startswith("api_")
    how = {"content_type": "application/json"} if is_api else {}
    if row.method == "get":
        return client.get(address)
    return getattr(client, row.method)(address, body, **how)


@EVERY_ROW
def test_without_signing_in_nothing_is_answered(row, here):
    response = send(make.client(), row, here)

    assert response.status_code in ({403} if row.name.startswith("api_") else {302})
    if response.status_code == 302:
        assert response.url.startswith(reverse("sign_in"))


@EVERY_ROW
def test_a_person_of_another_team_finds_nothing(row, here, dan):
    response = send(make.client(dan), row, here)

    assert response.status_code == 404


@EVERY_ROW
@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_says(row, role, here, alice, carol):
    if role == Role.OWNER:
        user = alice
    else:
        user = carol
        make.member(here.job, carol, role)

    response = send(make.client(user), row, here)

    if not can(role, row.ability):
        assert response.status_code == 403
        assert "message" in response.json() if row.name.startswith("api_") else True
    elif response.status_code in GATE:
        assert response.status_code == 302, response.content[:300]
        assert not response.url.startswith(reverse("sign_in"))


@pytest.mark.parametrize("row", [row for row in ROWS if row.child], ids=lambda row: row.id)
def test_a_child_of_another_job_is_not_found_even_by_an_owner_of_both(row, here, alice, carol):
    other = world(alice, carol)

    response = send(make.client(alice), row, here, child_world=other)

    assert response.status_code == 404


def test_a_job_list_shows_own_jobs_alone(here, dan):
    mine = make.job(owner=dan, name="Mine")

    page = make.client(dan).get(reverse("job_list")).content.decode()
    listed = make.client(dan).get(reverse("api_jobs")).json()

    assert "Mine" in page
    assert reverse("job", args=[here.job.pk]) not in page
    assert [job["id"] for job in listed] == [mine.pk]


@pytest.mark.parametrize("address", ["job_new", "api_jobs"])
def test_who_may_not_create_jobs_is_told_so(address, bob):
    client = make.client(bob)

    if address == "api_jobs":
        body = {"name": "x", "mode": "multi"}
        response = client.post(reverse(address), body, content_type="application/json")
    else:
        response = client.get(reverse(address))

    assert response.status_code == 403
