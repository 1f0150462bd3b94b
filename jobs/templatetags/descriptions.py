"""Whether a member has yet to see the labeling description."""

from django import template

from annotators.models import Member
from jobs.description.services import is_new

register = template.Library()


@register.filter
def has_new_description(member: Member) -> bool:
    return is_new(member)
