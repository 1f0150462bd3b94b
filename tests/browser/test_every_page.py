"""Every page in both themes and languages: accessible by axe's rules, and as wide as the window."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from playwright.sync_api import Page

from annotators import services as people_services
from annotators.access import member_or_404
from annotators.models import User
from annotators.roles import Role
from datasets.connection_tests import note
from datasets.storages.checkup import Result, Step, failed
from jobs.description import pictures
from jobs.description.services import describe_job
from jobs.selection import Selection
from jobs.services import start_export, synchronize
from labels.annotate import annotate
from labels.trash import trash
from tests import make, people
from tests.browser.test_team_story import picture
from tests.datasets.buckets import bucket_storage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BAD = {"serious", "critical"}
LOOKS = [("light", "en"), ("dark", "zh-hans")]
WIDTHS = [1440, 800, 390, 320]
PUBLIC = {"sign-in", "invitation", "password-reset"}


@pytest.fixture
def pages(live) -> dict[str, str]:
    """Path of every page, by name, on a job with something of everything."""
    assert live.is_healthy()
    alice, bob = people.alice(), people.bob()
    job = make.job(owner=alice, labels=("cat", "dog", "a-label-with-a-rather-long-name"))
    make.member(job, bob)
    samples = make.images(job, 6, files=True)
    member = member_or_404(alice, job.pk)
    trash(member, Selection(ids=(samples[5].pk,)))
    label = job.labels.first()
    annotate(member, Selection(ids=(samples[0].pk,)), add=[label.pk])
    picture_name = pictures.keep(job, SimpleUploadedFile("a.jpg", make.picture(size=(320, 240))))
    describe_job(member, f"# Cats\n\nOnly **whole** ones.\n\n![](pictures/{picture_name})")
    options = {"format": "paddleclas", "ratios": [80, 10, 10], "seed": 0, "with_images": True}
    run = start_export(job, by=alice, options=options)
    invited = people_services.invite(member, email="erin@example.org", role=Role.LABELER)
    storage = bucket_storage(alice)
    note(storage, failed(Result(Step.LIST, problem="wrong-secret-key")), by=alice)
    storage.save()
    gone = samples[5].image
    gone.missing_since = timezone.now()
    gone.save()
    sync = synchronize(job.dataset, job=job, by=alice)
    here, dataset = f"/jobs/{job.pk}/", f"/datasets/{job.dataset_id}/"
    return {
        "sign-in": "/sign-in/",
        "invitation": "/invitations/" + invited.address.rstrip("/").rsplit("/", 1)[1] + "/",
        "password-reset": "/password/reset/",
        "jobs": "/",
        "new-job": "/jobs/new/",
        "grid": here,
        "grid-filtered": f"{here}?hard=1&score_min=high&name=image",
        "filters": f"{here}filters/?hard=1",
        "viewer": f"{here}samples/{samples[0].pk}/",
        "trash": f"{here}trash/",
        "add-data": f"{here}add/",
        "historical-records": f"{here}imports/",
        "datasets": "/datasets/",
        "dataset": dataset,
        "dataset-images": f"{dataset}images/?problem=missing",
        "dataset-run": f"{dataset}runs/{sync.pk}/",
        "dataset-runs": f"{dataset}runs/",
        "labels": f"{here}labelset/",
        "label-edit": f"{here}labelset/?edit={label.pk}",
        "label-merge": f"{here}labelset/merge/?labels={label.pk}&into=dog",
        "label-delete": f"{here}labelset/delete/?labels={label.pk}",
        "settings": f"{here}settings/",
        "description": f"{here}description/",
        "members": f"{here}members/",
        "export": f"{here}export/",
        "export-filtered": f"{here}export/?label={label.pk}&hard=0",
        "history": f"{here}history/",
        "image-history": f"{here}samples/{samples[0].pk}/history/",
        "run": f"{here}runs/{run.pk}/",
        "profile": "/profile/",
        "own-keys": "/profile/?key=hard",
        "keys": "/keys/",
        "storages": "/storages/",
        "storage": f"/storages/{storage.pk}/",
        "new-storage": "/storages/new/",
        "new-storage-folder": "/storages/new/?kind=folder",
        "storage-disconnect": f"/storages/{storage.pk}/delete/",
        "not-found": "/jobs/0/",
    }


def problems_of(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in BAD
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_every_page_is_accessible_and_fits_its_window(pages, people_online, theme, language):
    alice = User.objects.get(email="alice@example.org")
    wrong = []
    for user in (None, alice):
        page = people_online.open("/sign-in/", user=user, theme=theme, language=language)
        for name in (name for name in pages if (name in PUBLIC) == (user is None)):
            page.goto(pages[name])
            page.wait_for_load_state("networkidle")
            wrong += [f"{name}: {problem}" for problem in problems_of(page)]
            wrong += [f"{name}: {problem}" for problem in too_wide(page, name, theme, language)]
    assert wrong == [], "\n".join(wrong)


def too_wide(page: Page, name: str, theme: str, language: str) -> list[str]:
    """Widths at which the page can be scrolled sideways."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        picture(page, f"{name}-{width}-{theme}-{language}")
        inner = page.evaluate("document.documentElement.scrollWidth")
        if inner > width:
            found.append(f"{inner} px wide in a window of {width}")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return found


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_says_its_language(live, people_online, language):
    assert live.is_healthy()
    page = people_online.open("/sign-in/", language=language)

    html = {"en": "en", "zh-hans": "zh-CN"}[language]
    assert page.locator("html").get_attribute("lang") == html


def test_a_page_with_a_foreign_script_would_be_stopped(live, people_online):
    """The policy itself is checked: every story fails when a script or style is stopped."""
    page = people_online.open("/sign-in/")

    policy = page.request.get("/sign-in/").headers["content-security-policy"]
    assert live.is_healthy()
    for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'"):
        assert part in policy
    assert "unsafe" not in policy


def test_text_and_controls_have_the_sizes_of_the_design(live, people_online):
    assert live.is_healthy()
    page = people_online.open("/sign-in/")

    def size(selector: str, name: str) -> float:
        return page.locator(selector).first.evaluate(
            "(found, name) => parseFloat(getComputedStyle(found)[name])", name
        )

    assert size("html", "fontSize") == 16
    assert size("body", "fontSize") == 14
    assert size("header", "minBlockSize") == 48 or size("header", "blockSize") == 48
