"""What `{% quick %}` renders is what Django renders, in every way a template can say it."""

from dataclasses import dataclass

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.safestring import mark_safe


@dataclass
class Thing:
    name: str
    number: int = 1
    note: str | None = None
    parts: tuple = ()

    def shout(self) -> str:
        return self.name.upper()


def things() -> list[Thing]:
    inner = Thing("<b>", 0)
    return [Thing('a & "b"', 12345, "x", (inner, inner)), Thing(mark_safe("<i>c</i>")), inner]


GIVEN = {
    "things": things(),
    "pairs": [("a", 1), ("b", 2)],
    "rows": [{"name": "<a>", "nested": {"x": "y"}}, {"name": ""}],
    "none": None,
    "may": True,
    "number": 3,
}
TEMPLATES = [
    "plain {{ may }} {{ missing }} {{ none }}",
    "{% for t in things %}[{{ t.name }}|{{ t.number }}|{{ t.note }}|{{ t.missing }}]{% endfor %}",
    "{% for t in things %}{{ t.shout }} {{ t.parts.0.name }} {{ t.name|upper }}{% endfor %}",
    "{% for t in things reversed %}{{ t.name }}{% empty %}none{% endfor %}",
    "{% for t in missing %}{{ t }}{% empty %}none at all{% endfor %}",
    "{% for t in things %}{% for p in t.parts %}{{ t.name }}-{{ p.name }} {% endfor %}{% endfor %}",
    "{% for name, n in pairs %}{{ name }}={{ n }} {% endfor %}",
    "{% for row in rows %}{{ row.name }}/{{ row.nested.x }};{% endfor %}",
    "{% for t in things %}{{ forloop.counter }}{% if forloop.last %}!{% endif %}{% endfor %}",
    "{% for t in things %}{% if t.note and may %}1{% elif not t.number %}2{% else %}3{% endif %}"
    "{% endfor %}",
    "{% for t in things %}{% if t.number > 1 or t.missing > 1 %}many{% endif %}{% endfor %}",
    "{% for t in things %}{% if t.number in pairs %}a{% endif %}{% if t.note is None %}b{% endif %}"
    "{% if t.number == number %}c{% endif %}{% if 'b' in t.name %}d{% endif %}{% endfor %}",
    "{% load i18n %}{% for t in things %}{% translate 'Labels' %}{{ t.name }}{% endfor %}",
    "{% load i18n %}{% for t in things %}{% blocktranslate with n=t.name %}{{ n }}!"
    "{% endblocktranslate %}{% endfor %}",
    "{% load icons %}{% for t in things %}{% icon 'x' %}{% icon t.name|yesno:'x,check' %}"
    "{% endfor %}",
    "{% for t in things %}{% with u=t %}{{ u.name }}{% endwith %}{% endfor %}{{ t.name }}",
    "{% for t in things %}{% cycle 'odd' 'even' %}{{ t.number }}{% endfor %}",
    "{% load humanize %}{% for t in things %}{{ t.number|intcomma }}{% endfor %}{{ number }}",
]


@pytest.mark.parametrize("source", TEMPLATES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_quick_renders_what_django_renders(source, language):
    quick = Template("{% load quick %}{% quick %}" + source + "{% endquick %}")

    with translation.override(language):
        expected = Template(source).render(Context(GIVEN))

        assert quick.render(Context(GIVEN)) == expected
        assert quick.render(Context(GIVEN)) == expected


def test_words_are_kept_for_each_language_alone():
    quick = Template("{% load quick i18n %}{% quick %}{% translate 'Labels' %}{% endquick %}")

    with translation.override("zh-hans"):
        chinese = quick.render(Context())

    with translation.override("en"):
        assert quick.render(Context()) == "Labels" != chinese


def test_an_included_template_is_part_of_it():
    tile = {"pk": "7", "href": "/7/", "thumbnail": "/t/", "name": "<x>.jpg", "more": 0}
    context = Context({"tiles": [tile]})
    source = '{% include "jobs/_tiles.html" %}'

    quick = Template("{% load quick %}{% quick %}" + source + "{% endquick %}").render(context)

    assert quick == Template(source).render(context)
    assert "&lt;x&gt;.jpg" in quick
