"""`{% quick %}…{% endquick %}` around what repeats often: see jobs/quick_templates.py."""

from django import template
from django.template import Context, Node, NodeList
from django.template.base import Parser, Token
from django.utils.safestring import SafeString

from jobs import quick_templates

register = template.Library()


class QuickNode(Node):
    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.quick = None

    def render(self, context: Context) -> SafeString:
        if self.quick is None:
            self.quick = quick_templates.quick(self.nodelist, context)
        return self.quick(context)


@register.tag
def quick(parser: Parser, token: Token) -> QuickNode:  # noqa: ARG001
    nodes = parser.parse(["endquick"])
    parser.delete_first_token()
    return QuickNode(nodes)
