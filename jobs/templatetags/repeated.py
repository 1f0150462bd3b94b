"""`{% repeated "jobs/tiles.jinja" tiles=tiles %}`: see jobs/jinja.py."""

from typing import Any

from django import template
from django.template import engines
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def repeated(name: str, **values: Any) -> SafeString:
    made = engines["jinja2"].get_template(name).render(values)
    return mark_safe(made)  # noqa: S308 Jinja escaped the values
