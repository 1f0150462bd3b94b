"""Pages of people: the door, the profile, the members of a job."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from annotators import services
from annotators.models import Invitation, User
from annotators.roles import Role
from tests import make
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "eleven-green-kites"


@pytest.fixture
def job(alice):
    return make.job(owner=alice, name="Pets & <b>wild</b>")


@pytest.fixture
def owner(job, alice):
    return make.membership(job, alice)


@pytest.fixture
def invited(owner):
    return services.invite(owner, email="erin@example.org", role=Role.REVIEWER)


def path_of(address: str) -> str:
    return re.sub(r"^https?://[^/]+", "", address)


def sign_in(client, email: str, password: str = PASSWORD, **more):
    fields = {"username": email, "password": password, **more}
    return client.post(reverse("sign_in"), fields)


# The door ----------------------------------------------------------------------------------------
def test_a_person_signs_in_by_email_however_it_is_spelled(bob):
    client = make.client()

    response = sign_in(client, "  BOB@Example.org ")

    assertRedirects(response, reverse("job_list"), fetch_redirect_response=False)
    assert get_user(client) == bob


def test_signing_in_leads_to_the_page_that_was_asked_for_and_never_to_another_site(bob):
    wanted = sign_in(make.client(), bob.email, next="/profile/")
    foreign = sign_in(make.client(), bob.email, next="https://example.com/")

    assert wanted.url == "/profile/"
    assert foreign.url == reverse("job_list")


def test_who_is_signed_in_is_sent_on_even_from_a_page_that_names_itself(bob):
    itself = {"next": f"{reverse('sign_in')}?next=/"}

    response = make.client(bob).get(reverse("sign_in"), itself)

    assertRedirects(response, reverse("job_list"), fetch_redirect_response=False)


def test_a_wrong_password_is_said_and_the_email_stays(bob):
    response = sign_in(make.client(), bob.email, "not-this-one")

    assertContains(response, "do not match")
    assertContains(response, f'value="{bob.email}"')


def test_signing_in_pauses_after_too_many_tries_and_other_people_still_come_in(
    bob, carol, settings
):
    client = make.client()
    for _try in range(settings.AXES_FAILURE_LIMIT - 1):
        sign_in(client, bob.email, "wrong")

    assertContains(sign_in(client, "BOB@example.org", "wrong"), "paused", status_code=429)
    assertContains(sign_in(client, bob.email), "paused", status_code=429)
    assert sign_in(client, carol.email).status_code == 302


def test_signing_out_needs_a_post(bob):
    client = make.client(bob)

    assert client.get(reverse("sign_out")).status_code == 405
    assertRedirects(client.post(reverse("sign_out")), reverse("sign_in"))
    assert not get_user(client).is_authenticated


def test_the_first_person_sets_the_installation_up():
    address = path_of(services.start_setup())
    client = make.client()
    fields = {"name": "Ada", "email": "ada@example.org", "password": NEW_PASSWORD}

    assertContains(client.get(address), "Welcome")
    response = client.post(address, fields)

    assertRedirects(response, reverse("job_list"), fetch_redirect_response=False)
    assert get_user(client).is_superuser
    assertContains(make.client().get(address), "was used already", status_code=410)


def test_a_weak_password_is_refused_at_the_first_start():
    address = path_of(services.start_setup())
    fields = {"name": "Ada", "email": "lovelace@example.org", "password": "lovelace"}

    response = make.client().post(address, fields)

    assertContains(response, "too similar to the email")
    assert not User.objects.exists()


def test_a_new_person_joins_with_a_name_and_a_password(invited, job):
    client = make.client()

    assertContains(client.get(path_of(invited.address)), "Pets &amp; &lt;b&gt;wild&lt;/b&gt;")
    response = client.post(path_of(invited.address), {"name": "Erin", "password": NEW_PASSWORD})

    assertRedirects(response, reverse("job", args=[job.pk]), fetch_redirect_response=False)
    member = job.members.get(user=get_user(client))
    assert (member.role, member.user.name) == (Role.REVIEWER, "Erin")


def test_a_person_with_an_account_signs_in_and_then_accepts(invited, job):
    erin = User.objects.create_user("Erin@example.org", PASSWORD)
    address = path_of(invited.address)

    assertContains(make.client().get(address), f"?next={address}")
    client = make.client(erin)
    assertContains(client.get(address), "Join")
    response = client.post(address)

    assertRedirects(response, reverse("job", args=[job.pk]), fetch_redirect_response=False)
    assert job.members.filter(user=erin).exists()


def test_an_account_cannot_be_taken_over_through_an_invitation(invited):
    erin = User.objects.create_user("erin@example.org", PASSWORD)
    client = make.client()

    client.post(path_of(invited.address), {"name": "Mallory", "password": NEW_PASSWORD})

    assert not get_user(client).is_authenticated
    erin.refresh_from_db()
    assert erin.check_password(PASSWORD)
    assert not erin.memberships.exists()


def test_an_invitation_of_somebody_else_is_not_accepted(invited, job, dan):
    client = make.client(dan)

    assertContains(client.get(path_of(invited.address)), "for another address")
    response = client.post(path_of(invited.address))

    assertContains(response, "This invitation is for erin@example.org")
    assert not job.members.filter(user=dan).exists()


@pytest.mark.parametrize(
    ("end", "words"),
    [("revoked", "withdrawn"), ("expired", "too old"), ("unknown", "not complete")],
)
def test_a_link_that_is_over_says_why(invited, end, words):
    address = path_of(invited.address)
    if end == "revoked":
        services.revoke_invitation(invited.invitation)
    elif end == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        address = reverse("invitation", args=["nonsense"])

    assertContains(make.client().get(address), words, status_code=410)


def test_a_used_invitation_still_leads_its_person_to_the_job(invited, job, dan):
    address = path_of(invited.address)
    client = make.client()
    client.post(address, {"name": "Erin", "password": NEW_PASSWORD})

    response = client.get(address)

    assertRedirects(response, reverse("job", args=[job.pk]), fetch_redirect_response=False)
    assert make.client(dan).get(address).status_code == 410


def test_a_set_up_link_is_no_invitation_and_the_other_way_round(invited):
    token = path_of(invited.address).split("/")[2]

    assert make.client().get(reverse("welcome", args=[token])).status_code == 410


def test_a_link_that_still_works_is_never_written_to_the_log(invited, dan, caplog):
    address = path_of(invited.address)

    make.client().post(address, {"name": "", "password": "short"})
    make.client(dan).post(address)

    assert caplog.text == ""
    assert make.client().get(address).status_code == 200


def test_links_with_a_secret_are_kept_by_no_cache(invited):
    response = make.client().get(path_of(invited.address))

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"


def test_a_forgotten_password_is_replaced_through_the_mail(bob, settings):
    client = make.client(HTTP_HOST="localhost")

    assertContains(client.get(reverse("password_reset")), "Send the link")
    client.post(reverse("password_reset"), {"email": bob.email})
    (message,) = mail.outbox
    (address,) = re.findall(r"\S+/password/reset/\S+", message.body)
    assert address.startswith(settings.PUBLIC_URL)
    form = client.get(path_of(address), follow=True)
    response = client.post(form.request["PATH_INFO"], {"new_password1": NEW_PASSWORD}, follow=True)

    assertContains(response, "Password changed")
    assert sign_in(make.client(), bob.email, NEW_PASSWORD).status_code == 302
    assertContains(client.get(path_of(address), follow=True), "no longer good")


def test_nobody_learns_which_addresses_have_an_account(bob):
    known = make.client().post(reverse("password_reset"), {"email": bob.email}, follow=True)
    unknown = make.client().post(reverse("password_reset"), {"email": "x@y.org"}, follow=True)

    assert [url for url, _status in known.redirect_chain] == [
        url for url, _status in unknown.redirect_chain
    ]
    assert len(mail.outbox) == 1


# The own account ---------------------------------------------------------------------------------
def test_a_person_changes_the_own_name(bob):
    client = make.client(bob)

    response = client.post(reverse("profile"), {"name": "Robert"}, follow=True)

    assertContains(response, "Your name was saved.")
    bob.refresh_from_db()
    assert bob.name == "Robert"


def test_a_changed_password_keeps_this_browser_signed_in_and_no_other(bob):
    here, elsewhere = make.client(bob), make.client(bob)
    fields = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD}

    here.post(reverse("password_change"), fields)

    assert here.get(reverse("profile")).status_code == 200
    assert elsewhere.get(reverse("profile")).status_code == 302


def test_changing_the_password_needs_the_current_one(bob):
    fields = {"old_password": "a-guess", "new_password1": NEW_PASSWORD}

    response = make.client(bob).post(reverse("password_change"), fields)

    assertContains(response, "not your current password", status_code=422)
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


def test_the_theme_is_kept_in_a_cookie_and_written_by_the_server():
    client = make.client()

    response = client.post(reverse("set_theme"), {"theme": "dark", "next": "/sign-in/"})

    assert response.url == "/sign-in/"
    assertContains(client.get(reverse("sign_in")), '<html lang="en" data-theme="dark">')


def test_a_theme_that_is_none_is_refused_and_a_foreign_address_not_followed():
    client = make.client()

    assert client.post(reverse("set_theme"), {"theme": "<script>"}).status_code == 400
    response = client.post(reverse("set_theme"), {"theme": "dark", "next": "//example.com/"})

    assert response.url == reverse("job_list")


# Members of a job --------------------------------------------------------------------------------
def address_of(name: str, job, *more) -> str:
    return reverse(name, args=[job.pk, *more])


def test_the_owner_invites_and_sees_the_link_once(job, alice):
    client = make.client(alice)
    fields = {"email": "erin@example.org", "role": "labeler"}

    response = client.post(address_of("members", job), fields)

    (address,) = re.findall(r'value="([^"]+/invitations/[^"]+)"', response.content.decode())
    assert make.client().get(path_of(address)).status_code == 200
    page = client.get(address_of("members", job))
    assertContains(page, "erin@example.org")
    assertNotContains(page, path_of(address))


def test_a_mail_that_could_not_be_sent_is_said_beside_the_link(job, alice, monkeypatch):
    def refuse(*_args):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("annotators.services.send_mail", refuse)
    fields = {"email": "erin@example.org", "role": "labeler"}

    response = make.client(alice).post(address_of("members", job), fields)

    assertContains(response, "could not be sent (no mail server)")
    assertContains(response, "/invitations/")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"email": "alice@example.org", "role": "labeler"}, "is a member of this job already"),
        ({"email": "nobody", "role": "labeler"}, "valid email"),
        ({"email": "erin@example.org", "role": "owner"}, "valid choice"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_in_its_form(job, alice, fields, words):
    response = make.client(alice).post(address_of("members", job), fields)

    assertContains(response, words, status_code=422)
    assert not job.invitations.exists()


def test_htmx_gets_the_part_of_the_page_that_changes(job, alice, bob):
    member = make.member(job, bob)
    client = make.client(alice, HTTP_HX_REQUEST="true")

    response = client.post(address_of("member_role", job, member.pk), {"role": "reviewer"})

    assertNotContains(response, "<html")
    assertContains(response, 'hx-swap-oob="beforeend"')
    assertContains(response, "Bob is now Reviewer.")
    member.refresh_from_db()
    assert member.role == Role.REVIEWER


def test_roles_change_without_a_script_too(job, alice, bob):
    member = make.member(job, bob)

    response = make.client(alice).post(
        address_of("member_role", job, member.pk), {"role": "manager"}, follow=True
    )

    assertRedirects(response, address_of("members", job))
    assertContains(response, "Bob is now Manager.")


@pytest.mark.parametrize("htmx", [{}, {"HTTP_HX_REQUEST": "true"}])
def test_removing_somebody_is_asked_first(job, alice, bob, htmx):
    member = make.member(job, bob)
    client = make.client(alice, **htmx)
    address = address_of("member_remove", job, member.pk)

    assertContains(client.get(address), "Remove Bob?")
    assert job.members.filter(pk=member.pk).exists()
    client.post(address)

    assert not job.members.filter(pk=member.pk).exists()


@pytest.mark.parametrize("verb", ["member_role", "member_remove"])
def test_the_owner_stays_the_owner(job, owner, bob, verb):
    make.member(job, bob, Role.MANAGER)

    response = make.client(bob).post(address_of(verb, job, owner.pk), {"role": "labeler"})

    assertContains(response, "A job keeps its owner.", status_code=422)
    owner.refresh_from_db()
    assert owner.role == Role.OWNER


def test_an_invitation_is_withdrawn(job, alice, invited):
    client = make.client(alice)

    client.post(address_of("invitation_revoke", job, invited.invitation.pk))

    assert make.client().get(path_of(invited.address)).status_code == 410
    assertNotContains(client.get(address_of("members", job)), 'value="erin@example.org"')


def test_a_manager_who_steps_back_is_led_away(job, bob):
    member = make.member(job, bob, Role.MANAGER)

    response = make.client(bob).post(address_of("member_role", job, member.pk), {"role": "labeler"})

    assertRedirects(response, reverse("job_list"), fetch_redirect_response=False)


def test_a_reviewer_sees_who_works_here_and_changes_nothing(job, owner, carol):
    services.invite(owner, email="erin@example.org", role=Role.LABELER)
    make.member(job, carol, Role.REVIEWER)

    page = make.client(carol).get(address_of("members", job))

    assertContains(page, "Alice")
    for words in ("Invite somebody", "Withdraw", "<select", "Remove"):
        assertNotContains(page, words)
    assertNotContains(page, reverse("export", args=[job.pk]))


def test_a_refusal_says_the_reason(job, bob):
    make.member(job, bob)

    page = make.client(bob).get(address_of("members", job))

    assertContains(page, "Members are shown to reviewers", status_code=403)


def test_the_members_page_takes_the_same_statements_for_many(job, alice, django_assert_num_queries):
    client = make.client(alice)
    for number in range(12):
        user = User.objects.create_user(f"p{number}@example.org")
        make.member(job, user)
        services.invite(
            make.membership(job, alice), email=f"n{number}@example.org", role=Role.LABELER
        )

    # The user, the membership, the members, the invitations.
    with django_assert_num_queries(4):
        client.get(address_of("members", job))


def test_names_are_shown_as_text(job, alice):
    alice.name = "<script>alert(1)</script>"
    alice.save()

    page = make.client(alice).get(address_of("members", job))

    assertNotContains(page, "<script>alert(1)")
