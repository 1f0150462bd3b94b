"""What happens in a job reaches the browsers that show it, and nobody else's."""

import asyncio
import json

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.layers import InMemoryChannelLayer
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from annotators import services as people_services
from annotators.access import member_or_404
from jobs.consumers import (
    HERE_AT_MOST,
    NOT_A_MEMBER,
    NOT_SIGNED_IN,
    JobConsumer,
    websocket_urls,
)
from jobs.selection import Selection
from labels.annotate import annotate
from labels.services import create_label
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


# Long: what is waited for comes at once, unless the machine has other things to do.
PATIENCE = 30


class Page(ApplicationCommunicator):
    """A browser's end of the websocket of a job's page. (channels.testing needs daphne.)"""

    def __init__(self, job, user) -> None:
        async def signed_in(scope, receive, send):
            await URLRouter(websocket_urls)(scope | {"user": user}, receive, send)

        super().__init__(signed_in, {"type": "websocket", "path": f"/ws/jobs/{job.pk}/"})

    async def receive_output(self, timeout: float = PATIENCE):
        return await super().receive_output(timeout)

    async def connect(self) -> None:
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output())["type"] == "websocket.accept"

    async def heard(self) -> dict:
        return json.loads((await self.receive_output())["text"])

    async def say(self, message) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        await self.send_input({"type": "websocket.receive", "text": text})

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait()


def label_one(job, user) -> int:
    sample = job.samples.first()
    selection = Selection(ids=(sample.pk,))
    annotate(member_or_404(user, job.pk), selection, add=[job.labels.first().pk])
    return sample.pk


def play(story) -> None:
    asyncio.run(story())


def test_a_label_reaches_everybody_on_the_page_with_its_counts(alice, bob):
    job = make.job(owner=alice)
    make.images(job, 2)
    make.member(job, bob)

    async def story():
        page = Page(job, bob)
        await page.connect()
        sample = await database_sync_to_async(label_one)(job, alice)
        message = await page.heard()
        await page.disconnect()
        assert message["type"] == "samples.changed"
        assert (message["ids"], message["actor"]) == ([sample], alice.pk)
        assert message["counts"]["state:labeled"] == 1

    play(story)


def test_a_new_label_is_told(alice):
    job = make.job(owner=alice)

    async def story():
        page = Page(job, alice)
        await page.connect()
        await database_sync_to_async(create_label)(job, "cow")
        message = await page.heard()
        await page.disconnect()
        assert message == {"type": "labels.changed"}

    play(story)


def test_who_is_no_member_is_closed_out(alice, dan):
    job = make.job(owner=alice)

    async def story():
        page = Page(job, dan)
        await page.connect()
        closed = await page.receive_output()
        assert (closed["type"], closed["code"]) == ("websocket.close", NOT_A_MEMBER)

    play(story)


def test_who_is_removed_hears_nothing_more(alice, bob):
    job = make.job(owner=alice)
    make.images(job, 1)
    membership = make.member(job, bob)

    async def story():
        page = Page(job, bob)
        await page.connect()
        await database_sync_to_async(people_services.remove_member)(membership)
        closed = await page.receive_output()
        assert (closed["type"], closed["code"]) == ("websocket.close", NOT_A_MEMBER)

    play(story)


def test_who_is_removed_while_joining_hears_nothing(alice, bob, monkeypatch):
    job = make.job(owner=alice)
    membership = make.member(job, bob)
    join = InMemoryChannelLayer.group_add

    async def join_late(*arguments):
        await database_sync_to_async(people_services.remove_member)(membership)
        await join(*arguments)

    monkeypatch.setattr(InMemoryChannelLayer, "group_add", join_late)

    async def story():
        page = Page(job, bob)
        await page.connect()
        closed = await page.receive_output()
        assert (closed["type"], closed["code"]) == ("websocket.close", NOT_A_MEMBER)

    play(story)


def test_a_page_hears_from_the_moment_that_it_is_connected(alice, monkeypatch):
    job = make.job(owner=alice)
    make.images(job, 1)
    join, said = InMemoryChannelLayer.group_add, []

    async def join_late(*arguments):
        said.append(page.output_queue.empty())
        await join(*arguments)

    monkeypatch.setattr(InMemoryChannelLayer, "group_add", join_late)

    async def story():
        nonlocal page
        page = Page(job, alice)
        await page.connect()
        await page.disconnect()

    page: Page | None = None
    play(story)
    assert said == [True]


def test_who_is_signed_out_is_told_that_instead(alice):
    job = make.job(owner=alice)

    async def story():
        page = Page(job, AnonymousUser())
        await page.connect()
        assert (await page.receive_output())["code"] == NOT_SIGNED_IN

    play(story)


# Presence ----------------------------------------------------------------------------------------
@pytest.fixture
def shared_job(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob, "labeler")
    return job


def here(page_of, user, sample) -> dict:
    person = {"id": user.pk, "name": user.name, "initials": user.name[0]}
    return {"type": "presence.here", "page": page_of, "person": person, "sample": sample}


def test_others_hear_what_somebody_looks_at_and_when_they_leave(shared_job, alice, bob):
    async def story():
        page, other = Page(shared_job, alice), Page(shared_job, bob)
        await page.connect()
        await other.connect()
        await other.heard()
        await other.say({"type": "here", "sample": 7})
        message = await page.heard()
        assert message == here(message["page"], bob, 7)
        await other.say({"type": "here", "sample": None})
        assert (await page.heard())["sample"] is None
        await other.disconnect()
        assert await page.heard() == {"type": "presence.gone", "page": message["page"]}
        await page.disconnect()

    play(story)


def test_a_newcomer_hears_who_is_there(shared_job, alice, bob):
    async def story():
        page = Page(shared_job, alice)
        await page.connect()
        await page.say({"type": "here", "sample": 5})
        newcomer = Page(shared_job, bob)
        await newcomer.connect()
        message = await newcomer.heard()
        assert message == here(message["page"], alice, 5)
        await page.disconnect()
        await newcomer.disconnect()

    play(story)


def test_the_own_other_tab_is_nobody_else(shared_job, alice):
    async def story():
        page, tab = Page(shared_job, alice), Page(shared_job, alice)
        await page.connect()
        await tab.connect()
        await tab.say({"type": "here", "sample": 7})
        assert await page.receive_nothing(timeout=0.3)
        await page.disconnect()
        await tab.disconnect()

    play(story)


def test_no_address_is_shown_of_who_has_no_name(shared_job, alice, bob):
    bob.name = ""

    async def story():
        page, other = Page(shared_job, bob), Page(shared_job, alice)
        await page.connect()
        await other.connect()
        message = await other.heard()
        assert message["person"]["name"] == "bob"
        await page.disconnect()
        await other.disconnect()

    play(story)


@pytest.mark.parametrize(
    "nonsense",
    [
        "{",
        "[1]",
        "7",
        {"type": "samples.changed", "sample": 1},
        {"type": "here", "sample": True},
        {"type": "here", "sample": "1"},
        {"type": "here", "sample": -1},
        {"type": "here", "sample": 2**63},
        {"type": "here", "sample": 1, "more": "x" * 500},
    ],
)
def test_nonsense_is_passed_over_and_the_page_stays(shared_job, alice, bob, nonsense):
    async def story():
        page, other = Page(shared_job, alice), Page(shared_job, bob)
        await page.connect()
        await other.connect()
        await other.heard()
        await other.say(nonsense)
        await other.say({"type": "here", "sample": 3})
        assert (await page.heard())["sample"] == 3
        await page.disconnect()
        await other.disconnect()

    play(story)


def test_who_talks_too_much_is_passed_on_so_often_only(shared_job, alice, bob):
    async def story():
        page, other = Page(shared_job, alice), Page(shared_job, bob)
        await page.connect()
        await other.connect()
        await other.heard()
        for number in range(HERE_AT_MOST + 20):
            await other.say({"type": "here", "sample": number + 1})
        heard = [(await page.heard())["sample"] for _ in range(HERE_AT_MOST)]
        assert heard == list(range(1, HERE_AT_MOST + 1))
        assert await page.receive_nothing(timeout=0.3)
        await page.disconnect()
        await other.disconnect()

    play(story)


def test_another_job_is_not_heard(alice):
    job, other = make.job(owner=alice), make.job(owner=alice)
    make.images(other, 1)

    async def story():
        page = Page(job, alice)
        await page.connect()
        await database_sync_to_async(label_one)(other, alice)
        assert await page.receive_nothing(timeout=0.3)
        await page.disconnect()

    play(story)


def test_every_message_a_group_may_get_has_its_handler():
    handlers = {name for name in vars(JobConsumer) if not name.startswith("_")}

    assert {"samples_changed", "labels_changed", "run_progress", "access_changed"} <= handlers
    assert {"presence_asked", "presence_here", "presence_gone"} <= handlers


def test_a_label_is_saved_and_answered_though_redis_is_down(alice, settings):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:9/0"]},
        }
    }
    job = make.job(owner=alice)
    (sample,) = make.images(job, 1)
    body = {"ids": [sample.pk], "add": [job.labels.first().pk]}

    answer = make.client(alice).post(
        f"/api/jobs/{job.pk}/annotate/", body, content_type="application/json"
    )

    assert answer.json()["changed"] == 1
    assert sample.annotations.count() == 1


def test_a_run_is_written_and_answered_though_celery_is_out_of_reach(alice, settings, monkeypatch):
    settings.RUN_ENGINE = "celery"
    monkeypatch.setattr("runs.tasks.work.delay", unreachable)
    job = make.job(owner=alice)

    answer = make.client(alice).post(
        f"/api/jobs/{job.pk}/synchronize/", {}, content_type="application/json"
    )

    assert answer.status_code == 201
    assert job.runs.count() == 1


def unreachable() -> None:
    raise ConnectionRefusedError("no broker")
