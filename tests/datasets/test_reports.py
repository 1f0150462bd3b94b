"""The report of a run, for spreadsheets: whole, in the reader's language, and harmless."""

import csv
import io

import pytest
from django.urls import reverse

from datasets import reports
from runs import engine
from runs.models import Problem, Run, RunKind
from tests import make

# The test client is synchronous, the web process is not.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous"),
]


@pytest.fixture
def run(alice) -> Run:
    job = make.job(owner=alice, name="Straße")
    return engine.submit(RunKind.SYNC, job=job, dataset=job.dataset, by=alice, params={})


def note(run: Run, *items: str, code: str = "empty-file") -> None:
    Problem.objects.bulk_create(Problem(run=run, item=item, code=code) for item in items)


def lines(run: Run, user, **headers) -> list[list[str]]:
    response = make.client(user).get(
        reverse("run_report", args=[run.job_id, run.pk]), headers=headers
    )
    assert response.status_code == 200
    content = b"".join(response)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_each_file_has_its_line_with_the_reason(run, alice):
    note(run, "a, b.jpg", 'quo"ted\n.jpg')

    head, *rows = lines(run, alice)

    assert head == ["item", "code", "message"]
    assert [row[0] for row in rows] == ["a, b.jpg", 'quo"ted\n.jpg']
    assert "0 bytes" in rows[0][2]


@pytest.mark.parametrize("name", ["=1+1.jpg", "+a.jpg", "-a.jpg", "@a.jpg", "\ta.jpg", "\ra.jpg"])
def test_no_name_of_a_file_is_a_formula(run, alice, name):
    note(run, name)

    assert lines(run, alice)[1][0] == f"'{name}"


def test_many_lines_come_in_order_and_once(run, alice, monkeypatch):
    monkeypatch.setattr(reports, "LINES_AT_ONCE", 3)
    names = [f"{number}.jpg" for number in range(10)]
    note(run, *names)

    assert [row[0] for row in lines(run, alice)[1:]] == names


def test_the_reasons_are_in_the_language_of_the_reader(run, alice):
    note(run, "a.jpg")

    assert "文件" in lines(run, alice, accept_language="zh-hans")[1][2]


def test_the_file_is_called_after_the_job_and_the_run(run, alice):
    response = make.client(alice).get(reverse("run_report", args=[run.job_id, run.pk]))

    assert f"-{run.pk}.csv" in response["Content-Disposition"]
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_the_page_of_a_run_links_to_its_report(run, alice):
    note(run, "a.jpg")
    job_page = make.client(alice).get(reverse("run", args=[run.job_id, run.pk]))
    dataset_page = make.client(alice).get(reverse("dataset_run", args=[run.dataset_id, run.pk]))

    assert reverse("run_report", args=[run.job_id, run.pk]) in job_page.content.decode()
    address = reverse("dataset_run_report", args=[run.dataset_id, run.pk])
    assert address in dataset_page.content.decode()
    assert make.client(alice).get(address).status_code == 200
