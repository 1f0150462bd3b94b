"""What changes people: set-up, invitations, roles. One function per verb."""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from annotators.models import Invitation, Member, User
from annotators.roles import INVITABLE, Role
from labelhub import live
from labelhub.errors import Conflict, DomainError

logger = logging.getLogger(__name__)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _new_invitation(**fields) -> tuple[Invitation, str]:
    """The row and the secret of its link, which is kept nowhere."""
    token = secrets.token_urlsafe(32)
    expires_at = timezone.now() + timedelta(days=settings.INVITATION_DAYS)
    row = Invitation.objects.create(token_digest=_digest(token), expires_at=expires_at, **fields)
    return row, token


@transaction.atomic
def start_setup() -> str | None:
    """The one-time address that makes its reader the owner, or None when somebody is there."""
    if User.objects.exists():
        return None
    _open_invitations(Invitation.objects.filter(job=None)).update(revoked_at=timezone.now())
    _row, token = _new_invitation(job=None, role=Role.OWNER)
    return settings.PUBLIC_URL + reverse("welcome", args=[token])


@transaction.atomic
def finish_setup(token: str, *, email: str, name: str, password: str) -> User:
    """Makes the first user: a superuser who owns the jobs that nobody owns yet (the sample)."""
    invitation = _open_invitation(token, for_setup=True)
    if User.objects.exists():
        raise Conflict(_("LabelHub is set up already. Sign in, or ask for an invitation."))
    user = User.objects.create_superuser(email, password, name=name)
    _accept(invitation)
    ownerless = Member.job.field.related_model.objects.filter(members=None)
    Member.objects.bulk_create(Member(job=job, user=user, role=Role.OWNER) for job in ownerless)
    return user


@dataclass(frozen=True)
class Invited:
    """An invitation with the address of its link, which can be shown this once only."""

    invitation: Invitation
    address: str
    mail_error: str


def invite(member: Member, *, email: str, role: Role) -> Invited:
    """Invites by email; an open invitation of the same address is replaced.

    A mail server that refuses costs the mail, not the invitation: its link can be handed over.
    """
    invitation, token = _record_invitation(member, email=email.strip(), role=role)
    address = settings.PUBLIC_URL + reverse("invitation", args=[token])
    try:
        _mail(invitation, address)
    except (SMTPException, OSError) as error:
        logger.warning("The invitation of %s was not mailed: %s", email, error)
        return Invited(invitation, address, str(error))
    return Invited(invitation, address, "")


@transaction.atomic
def _record_invitation(member: Member, *, email: str, role: Role) -> tuple[Invitation, str]:
    if role not in INVITABLE:
        raise DomainError(_("Nobody can be invited as owner."), code="role")
    if Member.objects.filter(job=member.job, user__email__iexact=email).exists():
        raise Conflict(
            _("%(email)s is a member of this job already.") % {"email": email}, code="member"
        )
    same = Invitation.objects.filter(job=member.job, email__iexact=email)
    _open_invitations(same).update(revoked_at=timezone.now())
    return _new_invitation(job=member.job, email=email, role=role, invited_by=member.user)


def _mail(invitation: Invitation, address: str) -> None:
    context = {"invitation": invitation, "address": address, "days": settings.INVITATION_DAYS}
    subject = _("%(who)s invites you to label in “%(job)s”") % {
        "who": invitation.invited_by,
        "job": invitation.job.name,
    }
    text = render_to_string("annotators/invitation.txt", context)
    send_mail(" ".join(subject.split()), text, None, [invitation.email])


@transaction.atomic
def revoke_invitation(invitation: Invitation) -> None:
    _open_invitations(Invitation.objects.filter(pk=invitation.pk)).update(revoked_at=timezone.now())


def _open_invitations(rows):
    return rows.filter(accepted_at=None, revoked_at=None)


def find_invitation(token: str) -> Invitation | None:
    """The invitation of a link, open or not."""
    rows = Invitation.objects.select_related("job", "invited_by")
    return rows.filter(token_digest=_digest(token)).first()


def _open_invitation(token: str, *, for_setup: bool) -> Invitation:
    """The open invitation of the link, locked; the two kinds are never taken for each other."""
    rows = Invitation.objects.select_for_update().filter(token_digest=_digest(token))
    invitation = rows.filter(job__isnull=for_setup).first()
    if invitation is None or not invitation.is_open:
        raise DomainError(
            _("This link was used, withdrawn or is too old. Ask for a new one."), code="link"
        )
    return invitation


def _accept(invitation: Invitation) -> None:
    changed = _open_invitations(Invitation.objects.filter(pk=invitation.pk)).update(
        accepted_at=timezone.now()
    )
    if changed != 1:
        raise Conflict(_("This link was used a moment ago."), code="link")


@transaction.atomic
def join_with_new_account(token: str, *, name: str, password: str) -> Member:
    """A person without an account chooses a name and a password and becomes a member."""
    invitation = _open_invitation(token, for_setup=False)
    if User.objects.filter(email__iexact=invitation.email).exists():
        raise Conflict(_("You have an account already: sign in to accept."), code="account")
    user = User.objects.create_user(invitation.email, password, name=name)
    return _join(invitation, user)


@transaction.atomic
def join(token: str, *, user: User) -> Member:
    """A signed-in person accepts; only the person that was invited can."""
    invitation = _open_invitation(token, for_setup=False)
    if user.email.lower() != invitation.email.lower():
        raise DomainError(
            _("This invitation is for %(email)s. Sign in with that address.")
            % {"email": invitation.email},
            code="address",
        )
    return _join(invitation, user)


def _join(invitation: Invitation, user: User) -> Member:
    _accept(invitation)
    member, _made = Member.objects.get_or_create(
        job_id=invitation.job_id, user=user, defaults={"role": invitation.role}
    )
    return member


def rename(user: User, name: str) -> None:
    user.name = name
    user.save(update_fields=["name"])


@transaction.atomic
def set_role(target: Member, *, role: Role) -> Member:
    _refuse_owner(target, role)
    target.role = role
    target.save(update_fields=["role"])
    live.send_on_commit(target.job_id, {"type": "access.changed", "user": target.user_id})
    return target


@transaction.atomic
def remove_member(target: Member) -> None:
    """Ends the membership; what the person labeled stays."""
    _refuse_owner(target, None)
    target.delete()
    live.send_on_commit(target.job_id, {"type": "access.changed", "user": target.user_id})


def _refuse_owner(target: Member, role: Role | None) -> None:
    if target.role == Role.OWNER or role == Role.OWNER:
        raise Conflict(_("A job keeps its owner."), code="owner")
