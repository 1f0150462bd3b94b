"""The gate. Every request that touches a job passes here once and gets the member with the job.

Everything else is then reached from that job (`member.job.samples`, …): a child of another job
cannot be found, whatever id the address holds. Not a member: 404, so that nothing leaks. A member
without the ability: 403 with the reason.
"""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from annotators.models import Member, User
from annotators.roles import DENIALS, Ability


def member_or_404(user: User, job_id: int, ability: Ability = Ability.VIEW) -> Member:
    """The membership of `user` in the job, with `member.job` and where its images live loaded: one
    statement."""
    member = None
    if user.is_authenticated:
        rows = Member.objects.select_related("job__dataset__storage")
        member = rows.filter(user=user, job_id=job_id).first()
    if member is None:
        raise Http404
    require(member, ability)
    member.user = user
    return member


def require(member: Member, ability: Ability) -> None:
    if not member.can(ability):
        raise PermissionDenied(DENIALS[ability])
