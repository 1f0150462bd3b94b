"""What changes a job's name and its description. One function per verb."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs.models import Job
from labelhub.errors import DomainError

LONGEST_NAME = Job._meta.get_field("name").max_length
LONGEST_TEXT = 50_000


def rename_job(member: Member, name: str) -> None:
    require(member, Ability.EDIT_JOB)
    name = " ".join(name.split())
    if not name:
        raise DomainError(_("A job needs a name."), code="name")
    if len(name) > LONGEST_NAME:
        raise DomainError(
            _("A name has at most %(most)d characters.") % {"most": LONGEST_NAME}, code="name"
        )
    member.job.name = name
    member.job.save(update_fields=["name"])


@transaction.atomic
def describe_job(member: Member, text: str) -> None:
    """Writes the description; everybody but who wrote it is shown it again."""
    require(member, Ability.EDIT_JOB)
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        raise DomainError(
            _("A description has at most %(most)d characters.") % {"most": LONGEST_TEXT},
            code="description",
        )
    job = Job.objects.select_for_update().get(pk=member.job.pk)
    if job.instructions == text:
        return
    job.instructions, job.instructions_changed_at = text, timezone.now()
    job.save(update_fields=["instructions", "instructions_changed_at"])
    member.job = job
    note_seen(member)


def note_seen(member: Member) -> None:
    """The member saw the description as it is now."""
    member.instructions_seen_at = timezone.now()
    member.save(update_fields=["instructions_seen_at"])


def is_new(member: Member) -> bool:
    """Whether there is a description that the member has not seen, or not as it is now."""
    job, seen = member.job, member.instructions_seen_at
    if not job.instructions:
        return False
    changed = job.instructions_changed_at
    return seen is None or (changed is not None and seen < changed)
