"""Keys in templates, as the person who looks has them."""

from typing import Any

from django import template
from django.utils.html import json_script

from annotators import own_keys

register = template.Library()


def _keys(context: dict[str, Any]) -> own_keys.Keys:
    # A page asks some twenty times.
    found = context.render_context.get("keys")
    if found is None:
        found = context.render_context["keys"] = own_keys.keys_of(context.get("user"))
    return found


@register.simple_tag(takes_context=True)
def key(context: dict[str, Any], name: str) -> str:
    """The key of a command behind the words of a tooltip; nothing where it has none."""
    found = _keys(context).first(name)
    return f" ({found})" if found else ""


@register.simple_tag(takes_context=True)
def keys_for_browser(context: dict[str, Any]) -> str:
    """What differs from the usual keys, for keys.js."""
    found = _keys(context).for_browser()
    return json_script(found, "own-keys") if found else ""
