"""Own keys: what is kept, what is refused, and the part of the profile where they are chosen."""

import json
import re

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from annotators import own_keys
from annotators.own_keys import Keys, keys_of
from annotators.shortcuts import COMMANDS
from labelhub.errors import Conflict, DomainError
from labels.models import Label
from tests import make

pytestmark = pytest.mark.django_db

URL = "/profile/keys/"


def keymap(user) -> dict[str, str]:
    user.refresh_from_db()
    return user.keymap


# Services ----------------------------------------------------------------------------------------
def test_only_what_differs_is_kept(bob):
    own_keys.set_keys(bob, "hard", ["G", ""])
    own_keys.set_keys(bob, "next", ["d", "Ctrl+."])
    assert keymap(bob) == {"hard": "g", "next": "d Ctrl+."}

    own_keys.set_keys(bob, "hard", ["h"])
    assert keymap(bob) == {"next": "d Ctrl+."}


def test_a_key_of_another_command_is_refused_and_names_it(bob):
    with pytest.raises(Conflict) as refused:
        own_keys.set_keys(bob, "hard", ["x"])

    expected = "X is the key of “Reject the top suggestion”. Give that one another key first."
    assert refused.value.message == expected
    assert keymap(bob) == {}


def test_a_key_is_free_where_the_other_command_is_on_the_other_surface(bob):
    own_keys.set_keys(bob, "find", ["f"])

    assert keymap(bob) == {"find": "f"}
    with pytest.raises(Conflict):
        own_keys.set_keys(bob, "hard", ["f"])


def test_a_key_that_was_given_up_can_be_had_and_then_not_be_reset_to(bob):
    own_keys.set_keys(bob, "hard", [])
    own_keys.set_keys(bob, "reject", ["h"])
    assert keymap(bob) == {"hard": "", "reject": "h"}

    with pytest.raises(Conflict):
        own_keys.reset_keys(bob, "hard")
    own_keys.reset_keys(bob, "reject")
    own_keys.reset_keys(bob, "hard")
    assert keymap(bob) == {}


def test_all_keys_are_reset_at_once(bob):
    own_keys.set_keys(bob, "hard", ["g"])
    own_keys.set_keys(bob, "strip", ["b"])

    own_keys.reset_all_keys(bob)

    assert keymap(bob) == {}


def test_escape_stays_what_it_is(bob):
    with pytest.raises(DomainError):
        own_keys.set_keys(bob, "close", ["g"])


def test_what_another_version_kept_is_passed_over():
    kept = {"hard": "g", "gone": "b", "next": 7, "strip": "F5", "close": "c", "info": "Ctrl+t"}

    assert Keys(kept).own == {"hard": "g"}
    assert Keys(["hard"]).own == {}
    assert Keys(None).chords("hard") == COMMANDS["hard"].chords


# The profile -------------------------------------------------------------------------------------
def test_a_key_is_changed_reset_and_switched_off_without_a_script(bob):
    client = make.client(bob)
    opened = client.get(URL, {"key": "hard"})
    assertRedirects(opened, "/profile/?key=hard#keys", fetch_redirect_response=False)
    assertContains(client.get("/profile/?key=hard"), 'name="chord" value="H"')

    done = client.post(URL, {"command": "hard", "chord": ["G", ""]})
    assertRedirects(done, "/profile/#keys", fetch_redirect_response=False)
    assert keymap(bob) == {"hard": "g"}

    client.post(URL, {"command": "hard", "chord": ["G", ""], "reset": "hard"})
    assert keymap(bob) == {}

    client.post(URL, {"switch": "off"})
    bob.refresh_from_db()
    assert not bob.uses_keys
    client.post(URL, {"switch": "on"})
    bob.refresh_from_db()
    assert bob.uses_keys


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_refused_key_is_shown_again_with_the_reason(bob, headers):
    fields = {"command": "hard", "chord": ["Ctrl+T", "g"]}
    response = make.client(bob).post(URL, fields, headers=headers)

    assert response.status_code == 422
    assertContains(response, "Ctrl+T belongs to the browser.", status_code=422)
    assertContains(response, 'value="Ctrl+T"', status_code=422)
    assertContains(response, 'value="g"', status_code=422)
    assert keymap(bob) == {}


def test_a_script_gets_the_part_alone(bob):
    client = make.client(bob)
    response = client.post(URL, {"command": "hard", "chord": ["g"]}, headers={"HX-Request": "true"})

    assertNotContains(response, "<html")
    assertContains(response, "Reset all keys")
    assert re.search(r"data-own>\s*<span class=\"keys\" ><kbd>G</kbd>", response.content.decode())


def test_a_command_that_is_not_there_is_a_bad_request(bob):
    response = make.client(bob).post(URL, {"command": "explode", "chord": ["g"]})

    assert response.status_code == 400


def test_nobody_changes_the_keys_of_others(bob, carol):
    make.client(carol).post(URL, {"command": "hard", "chord": ["g"]})

    assert keymap(bob) == {}
    assert make.client().post(URL, {"switch": "off"}).status_code == 302


# The work surfaces -------------------------------------------------------------------------------
@pytest.fixture
def job(alice):
    made = make.job(owner=alice)
    Label.objects.filter(job=made, name="dog").update(key="g")
    return made


def page_of(user, job) -> str:
    return make.client(user).get(reverse("job", args=[job.pk])).content.decode()


def test_the_page_carries_what_differs_and_nothing_else(alice, job):
    assert "own-keys" not in page_of(alice, job)

    own_keys.set_keys(alice, "hard", ["b"])
    own_keys.switch_keys(alice, on=False)
    found = re.search(r'<script id="own-keys" [^>]*>(.*?)</script>', page_of(alice, job))

    assert json.loads(found[1]) == {"keys": {"hard": "b"}, "off": True}


def test_tooltips_say_the_own_keys_and_none_that_is_off(alice, job):
    assert 'title="Clear all labels (U)"' in page_of(alice, job)

    own_keys.set_keys(alice, "clear", ["w"])
    assert 'title="Clear all labels (W)"' in page_of(alice, job)

    own_keys.switch_keys(alice, on=False)
    page = page_of(alice, job)
    assert 'title="Clear all labels"' in page
    assert 'title="Undo (Ctrl+Z)"' in page


def test_the_key_of_a_label_is_shown_only_where_it_reaches_the_label(alice, job):
    assert re.findall(r'aria-keyshortcuts="(.)"', page_of(alice, job)) == ["1", "g"]

    own_keys.set_keys(alice, "hard", ["g"])
    assert re.findall(r'aria-keyshortcuts="(.)"', page_of(alice, job)) == ["1"]

    own_keys.switch_keys(alice, on=False)
    assert re.findall(r'aria-keyshortcuts="(.)"', page_of(alice, job)) == []


def test_the_palette_offers_commands_with_own_keys_to_those_who_may(alice, bob, job):
    make.member(job, bob)
    own_keys.set_keys(bob, "hard", ["w"])
    url = reverse("palette", args=[job.pk])
    owners, labelers = (make.client(one).get(url).content.decode() for one in (alice, bob))

    assert 'data-run="delete"' in owners
    assert 'data-run="delete"' not in labelers
    assert re.search(r'data-run="hard".*<kbd>W</kbd>', labelers)
    assert 'data-palette-part="create"' in owners


def test_keys_of_somebody_unknown_are_the_usual_ones():
    assert keys_of(None).for_browser() == {}
