"""Set-up, invitations and roles."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from annotators import services
from annotators.access import member_or_404
from annotators.models import Invitation, Member, User
from annotators.roles import Role
from jobs.selection import Selection
from labelhub.errors import Conflict, DomainError
from labels.annotate import annotate
from tests import make

pytestmark = pytest.mark.django_db


def token_of(address: str) -> str:
    return address.rstrip("/").rsplit("/", 1)[1]


@pytest.fixture
def job(alice):
    return make.job(owner=alice)


@pytest.fixture
def invited(job, alice):
    member = member_or_404(alice, job.pk)
    return services.invite(member, email="Erin@Example.org", role=Role.REVIEWER)


def test_the_first_person_becomes_superuser_and_owns_what_nobody_owns():
    sample_job = make.job(owner=None)
    token = token_of(services.start_setup())

    user = services.finish_setup(token, email="a@example.org", name="A", password="a-long-one-1")

    assert user.is_superuser
    assert Member.objects.get(job=sample_job).role == Role.OWNER
    assert services.start_setup() is None


def test_a_set_up_link_works_once_and_only_the_newest_does():
    old, new = token_of(services.start_setup()), token_of(services.start_setup())
    fields = {"email": "a@example.org", "name": "A", "password": "a-long-one-1"}

    with pytest.raises(DomainError):
        services.finish_setup(old, **fields)
    services.finish_setup(new, **fields)
    with pytest.raises(DomainError):
        services.finish_setup(new, **fields)

    assert User.objects.count() == 1


def test_a_set_up_link_is_no_invitation_and_an_invitation_sets_nothing_up(invited):
    with pytest.raises(DomainError):
        services.finish_setup(
            token_of(invited.address), email="x@example.org", name="", password="a-long-one-1"
        )


def test_the_mail_holds_the_link_and_the_database_only_its_digest(invited):
    (message,) = mail.outbox

    assert message.to == ["Erin@Example.org"]
    assert invited.address in message.body
    assert token_of(invited.address) not in str(Invitation.objects.values().get())
    assert re.fullmatch(r"[0-9a-f]{64}", invited.invitation.token_digest)


def test_who_follows_the_link_becomes_a_member_with_the_role(invited, job):
    member = services.join_with_new_account(
        token_of(invited.address), name="Erin", password="a-long-one-1"
    )

    assert (member.job, member.role, member.user.email) == (job, "reviewer", "Erin@Example.org")
    with pytest.raises(DomainError, match="used"):
        services.join_with_new_account(token_of(invited.address), name="E", password="another-1")


def test_an_account_that_exists_joins_by_signing_in(invited, job):
    erin = User.objects.create_user("erin@example.org", "a-long-one-1")

    with pytest.raises(Conflict, match="sign in"):
        services.join_with_new_account(token_of(invited.address), name="E", password="another-1")
    services.join(token_of(invited.address), user=erin)

    assert job.members.filter(user=erin).exists()


def test_a_link_is_of_no_use_to_another_person(invited, dan, job):
    with pytest.raises(DomainError, match="Erin@Example.org"):
        services.join(token_of(invited.address), user=dan)

    assert not job.members.filter(user=dan).exists()


@pytest.mark.parametrize("end", ["revoked", "expired", "replaced"])
def test_a_link_that_is_over_does_nothing(invited, job, alice, end):
    if end == "revoked":
        services.revoke_invitation(invited.invitation)
    elif end == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        member = member_or_404(alice, job.pk)
        services.invite(member, email="erin@example.org", role=Role.LABELER)

    with pytest.raises(DomainError, match="too old"):
        services.join_with_new_account(token_of(invited.address), name="E", password="long-one-1")


def test_a_link_lasts_seven_days(invited):
    left = invited.invitation.expires_at - timezone.now()

    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_a_member_is_not_invited_again(job, alice, bob):
    make.member(job, bob)

    with pytest.raises(Conflict, match="member of this job already"):
        services.invite(member_or_404(alice, job.pk), email="BOB@example.org", role=Role.LABELER)


def test_a_mail_server_that_refuses_costs_the_mail_and_not_the_invitation(job, alice, monkeypatch):
    def refuse(*_args):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("annotators.services.send_mail", refuse)

    invited = services.invite(
        member_or_404(alice, job.pk), email="erin@example.org", role=Role.LABELER
    )

    assert "no mail server" in invited.mail_error
    assert services.find_invitation(token_of(invited.address)) == invited.invitation


def test_a_subject_cannot_carry_header_lines(job, alice):
    job.name = "Pets\nBcc: everybody@example.org"
    job.save()

    services.invite(member_or_404(alice, job.pk), email="erin@example.org", role=Role.LABELER)

    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].recipients() == ["erin@example.org"]


def test_a_job_keeps_its_owner(job):
    owner = job.members.get()

    for act in (
        lambda: services.remove_member(owner),
        lambda: services.set_role(owner, role=Role.LABELER),
    ):
        with pytest.raises(Conflict, match="keeps its owner"):
            act()

    assert job.members.get().role == Role.OWNER


def test_what_a_removed_member_labeled_stays(job, bob):
    member = make.member(job, bob)
    (sample,) = make.images(job, 1)
    annotate(member_or_404(bob, job.pk), Selection(ids=(sample.pk,)), add=[job.labels.first().pk])

    services.remove_member(member)

    assert sample.annotations.get().user == bob
