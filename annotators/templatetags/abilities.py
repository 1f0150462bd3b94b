"""Asks the table of roles from a template: `{% if member|can:"export" %}`."""

from django import template

from annotators.models import Member

register = template.Library()


@register.filter
def can(member: Member, ability: str) -> bool:
    return member.can(ability)
