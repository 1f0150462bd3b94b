"""Icons of the work surfaces: those of lucide, drawn once and kept.

Lucide copies the tree of an icon each time that it is shown, which for the forty of the grid page
would take as long as its hundred tiles.
"""

import re
from functools import lru_cache

from django import template
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

register = template.Library()
# How lines are drawn stands in icon.css: forty icons need not say it forty times.
_LINES = (
    ' fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"'
    ' stroke-linejoin="round"'
)
_BLANK = re.compile(r"\n\s*")


@register.simple_tag
def icon(name: str, size: int = 16, mark: str = "") -> SafeString:
    """An icon that screen readers pass over; `mark` is a class. Its name stands beside it."""
    return _drawn(str(name), size, str(mark))


@lru_cache(maxsize=256)
def _drawn(name: str, size: int, mark: str) -> SafeString:
    tree = lucide(name, size=size, aria_hidden="true", **{"class": f"icon {mark}".strip()})
    # Nor how large they are, as nearly all of them are.
    tree = tree.replace(_LINES, "").replace(' width="16" height="16"', "").replace(" />", "/>")
    return mark_safe(_BLANK.sub("", tree))
