"""Parts of templates that repeat a hundred times on a page, without Django's walk through them.

Django looks up every name in its stack of contexts, and every value for what it could be: with a
hundred tiles that was half the time of a page. Here the nodes become functions, once for each
template, which read attributes of the variables of loops, escape plain text and keep what is the
same every time, for each language. The page is the same: whatever else stands there, Django
renders, with the variables of the loops in its context.
"""

import operator
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext, suppress
from html import escape
from typing import Any

from django.template import Context, Node, NodeList
from django.template.base import (
    FilterExpression,
    TextNode,
    Variable,
    VariableDoesNotExist,
    VariableNode,
    render_value_in_context,
)
from django.template.defaulttags import ForNode, IfNode, TemplateLiteral
from django.template.library import SimpleNode
from django.template.loader_tags import IncludeNode
from django.templatetags.i18n import TranslateNode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

# The variables of loops, and among them the context and the texts that are the same every time.
Scope = dict[Any, Any]
CONTEXT, KEPT = object(), object()
Value = Callable[[Scope], Any]
Write = Callable[[list[str], Scope], None]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "in": lambda one, other: one in other,
    "not in": lambda one, other: one not in other,
    "is": operator.is_,
    "is not": operator.is_not,
}


class _NeedsDjango(Exception):
    """Of a loop whose body asks for its number, say."""


def quick(nodes: NodeList, context: Context) -> Callable[[Context], SafeString]:
    """What renders the nodes as they stand in the template of the context."""
    write = _Made(context).all_of(nodes, frozenset())
    kept: dict[str | None, dict[Node, str]] = defaultdict(dict)

    def render(context: Context) -> SafeString:
        out: list[str] = []
        write(out, {CONTEXT: context, KEPT: kept[get_language()]})
        return mark_safe("".join(out))  # noqa: S308 of escaped values and the template's own text

    return render


def _shown(value: Any, context: Context) -> str:
    if type(value) is str:
        return escape(value)
    # No language that we have groups digits unless it is told to.
    return str(value) if type(value) is int else render_value_in_context(value, context)


class _Made:
    """Makes functions of nodes; `names` are the variables of the loops around them."""

    def __init__(self, context: Context) -> None:
        self.engine = context.template.engine
        # Django renders something inside of a loop, so it has to know the loops' variables.
        self.is_shared = False

    def all_of(self, nodes: NodeList, names: frozenset[str]) -> Write:
        writes = [self.one_of(node, names) for node in nodes]

        def write(out: list[str], scope: Scope) -> None:
            for one in writes:
                one(out, scope)

        return writes[0] if len(writes) == 1 else write

    def one_of(self, node: Node, names: frozenset[str]) -> Write:
        match node:
            case TextNode():
                said = node.s
                return lambda out, scope: out.append(said)  # noqa: ARG005
            case VariableNode() if value := _of_loop(node.filter_expression, names):
                return lambda out, scope: out.append(_shown(value(scope), scope[CONTEXT]))
            case IfNode():
                return self.choice(node, names)
            case ForNode():
                with suppress(_NeedsDjango):
                    return self.loop(node, names)
            case IncludeNode() if not (node.extra_context or node.template.is_var):
                return self.all_of(self.engine.get_template(node.template.var).nodelist, names)
            case TranslateNode() | SimpleNode() if _is_constant(node):
                return _once(node)
        self.is_shared |= bool(names)
        return lambda out, scope: out.append(node.render_annotated(scope[CONTEXT]))

    def choice(self, node: IfNode, names: frozenset[str]) -> Write:
        branches = [
            (self.condition(one, names), self.all_of(nodes, names))
            for one, nodes in node.conditions_nodelists
        ]

        def write(out: list[str], scope: Scope) -> None:
            for holds, act in branches:
                if holds(scope):
                    act(out, scope)
                    return

        return write

    def condition(self, one: Any, names: frozenset[str]) -> Value:
        if one is None:
            return lambda scope: True  # noqa: ARG005
        if isinstance(one, TemplateLiteral):
            return self.value(one.value, names)
        first = self.condition(one.first, names)
        if one.id == "not":
            return lambda scope: not first(scope)
        second = self.condition(one.second, names)
        if one.id == "and":
            return lambda scope: first(scope) and second(scope)
        if one.id == "or":
            return lambda scope: first(scope) or second(scope)
        return _comparison(_COMPARISONS[one.id], first, second)

    def value(self, expression: FilterExpression, names: frozenset[str]) -> Value:
        if value := _of_loop(expression, names):
            return value
        self.is_shared |= bool(names and expression.filters)
        return lambda scope: expression.resolve(scope[CONTEXT], ignore_failures=True)

    def loop(self, node: ForNode, names: frozenset[str]) -> Write:
        rows, own = self.value(node.sequence, names), node.loopvars
        each = self.all_of(node.nodelist_loop, names | set(own))
        otherwise = self.all_of(node.nodelist_empty, names)

        def write(out: list[str], scope: Scope) -> None:
            found, context = list(rows(scope) or ()), scope[CONTEXT]
            if not found:
                otherwise(out, scope)
            inner = dict(scope)
            with context.push() if self.is_shared else nullcontext():
                for row in reversed(found) if node.is_reversed else found:
                    given = {own[0]: row} if len(own) == 1 else dict(zip(own, row, strict=True))
                    inner.update(given)
                    if self.is_shared:
                        context.dicts[-1].update(given)
                    each(out, inner)

        return write


def _of_loop(expression: FilterExpression, names: frozenset[str]) -> Value | None:
    """Reads a variable of a loop, or an attribute of one; None: it is something else."""
    if not expression.is_var or not expression.var.lookups:
        return None
    name, *attributes = expression.var.lookups
    if name == "forloop" and names:
        raise _NeedsDjango
    if name not in names or expression.filters:
        return None
    if not attributes:
        return lambda scope: scope[name]

    plain = operator.attrgetter(*attributes) if len(attributes) == 1 else None

    def read(scope: Scope) -> Any:
        row = scope[name]
        try:
            if plain and not callable(found := plain(row)):
                return found
        except AttributeError:
            pass
        # An item of a dictionary, a member of a list, what a method returns: Django finds it.
        try:
            return expression.var.resolve({name: row})
        except VariableDoesNotExist:
            return ""

    return read


def _comparison(compared: Callable[[Any, Any], bool], first: Value, second: Value) -> Value:
    def holds(scope: Scope) -> bool:
        try:
            return compared(first(scope), second(scope))
        except TypeError:
            return False

    return holds


def _is_constant(node: TranslateNode | SimpleNode) -> bool:
    """The same at every repetition."""
    if isinstance(node, TranslateNode):
        said = node.filter_expression
        return not (node.asvar or said.filters or said.var.lookups)
    given = [*node.args, *node.kwargs.values()]
    is_plain = not (node.takes_context or node.target_var)
    return is_plain and not any(one.filters or _is_variable(one.var) for one in given)


def _is_variable(one: Any) -> bool:
    return isinstance(one, Variable) and one.lookups is not None


def _once(node: Node) -> Write:
    def write(out: list[str], scope: Scope) -> None:
        kept = scope[KEPT]
        if node not in kept:
            kept[node] = node.render_annotated(scope[CONTEXT])
        out.append(kept[node])

    return write
