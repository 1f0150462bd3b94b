"""The API says what it does, completely, and its page needs nothing from elsewhere."""

import re

import pytest
from django.core.management import call_command

from tests import make
from tests.test_access_matrix import job_routes

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_without_a_warning(tmp_path):
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml")
    )

    assert (tmp_path / "schema.yml").read_text().startswith("openapi: 3")


def test_every_route_of_the_api_is_in_the_schema(client):
    paths = client.get("/api/schema/?format=json").json()["paths"]

    in_jobs = {path for path in paths if path.startswith("/api/jobs/{job_id}/")}
    assert len(in_jobs) == len({name for name in job_routes() if name.startswith("api_")})


def test_the_page_of_the_api_has_no_inline_and_no_foreign_script(client):
    response = client.get("/api/docs/")
    page = response.content.decode()

    assert response.status_code == 200
    assert not re.search(r"<style|<script>|\son\w+=|(src|href)=\"(https?:)?//", page)
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


def test_errors_have_one_shape(alice):
    client = make.client(alice)
    job = make.job(owner=alice)
    how = {"content_type": "application/json"}

    answers = [
        client.get("/api/jobs/0/"),
        client.post(f"/api/jobs/{job.pk}/annotate/", {"add": [1]}, **how),
        client.post(f"/api/jobs/{job.pk}/annotate/", "{", **how),
        client.post(f"/api/jobs/{job.pk}/annotate/", "[1]", **how),
        client.post(f"/api/jobs/{job.pk}/annotate/", {"ids": ["1"], "add": [1]}, **how),
        client.post(f"/api/jobs/{job.pk}/exports/", {"format": "none"}, **how),
        client.delete(f"/api/jobs/{job.pk}/"),
        client.get(f"/api/jobs/{job.pk}/samples/?state=lost"),
        client.get(f"/api/jobs/{job.pk}/samples/?cursor=x"),
        make.client().get(f"/api/jobs/{job.pk}/"),
    ]

    assert [answer.status_code for answer in answers] == [404, *[400] * 5, 405, 400, 400, 403]
    for answer in answers:
        assert {"code", "message"} <= answer.json().keys(), answer.content
        assert answer.json()["message"]
