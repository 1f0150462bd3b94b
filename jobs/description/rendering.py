"""Markdown as safe HTML.

The parser takes no HTML, and what it makes goes through an allowlist all the same. Pictures are
those that were uploaded to the job: the content security policy would stop any other, so they are
left out, and the editor is told how many.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import nh3
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

# How a picture of the job is named in the text: ![words](pictures/0123456789abcdef.webp)
REFERENCE = re.compile(r"pictures/([0-9a-f]{16}\.webp)")
_TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em", "strong", "s"),
    *("ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title", "loading"}, "ol": {"start"}}
# The description stands under a heading of the page or of a dialog.
_DEEPER = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}
_parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
_parser.enable(["table", "strikethrough"])


@dataclass(frozen=True)
class Rendered:
    """`left_out`: pictures from elsewhere, which are not shown."""

    html: SafeString
    left_out: int


def render_description(text: str, *, job_id: int) -> Rendered:
    tokens = _parser.parse(text)
    left_out = _place_pictures(tokens, job_id)
    for token in tokens:
        token.tag = _DEEPER.get(token.tag, token.tag)
    html = nh3.clean(
        _parser.renderer.render(tokens, _parser.options, {}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Rendered(mark_safe(html), left_out)


def reference_to(name: str) -> str:
    """What is written into the text to show a picture of the job."""
    return f"![](pictures/{name})"


def pictures_in(text: str) -> set[str]:
    """The names of the job's pictures that the text shows."""
    return set(REFERENCE.findall(text))


def _place_pictures(tokens: Iterable[Token], job_id: int) -> int:
    """Gives pictures of the job their address; of others the words are left."""
    left_out = 0
    for token in tokens:
        for child in token.children or ():
            if child.type != "image":
                continue
            found = REFERENCE.fullmatch(str(child.attrs.get("src", "")))
            if found:
                address = reverse("description_picture", args=[job_id, found[1]])
                child.attrs["src"] = address
                child.attrs["loading"] = "lazy"
            else:
                left_out += 1
                child.type, child.tag, child.children, child.attrs = "text", "", None, {}
    return left_out
