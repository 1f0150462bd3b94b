"""The product speaks English and Simplified Chinese, wholly: catalog, pages, scripts."""

import html
import os
import re
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from annotators import services as people_services
from annotators.roles import Role
from inference.models import Prediction
from jobs.selection import Selection
from labels.annotate import annotate
from runs.models import Problem, Run, RunKind, RunState
from tests import make, needs

REPOSITORY = Path(__file__).resolve().parent.parent
CATALOG = REPOSITORY / "locale/zh_Hans/LC_MESSAGES/django.po"
SCRIPTS = REPOSITORY / "static/js"
# What `make messages` reads.
SOURCES = ("annotators", "datasets", "inference", "jobs", "labelhub", "labels", "runs", "templates")
CHINESE = {"HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9,en;q=0.5"}
# A shorter text may stand on a page for another reason: as the name of a file, a field, a class.
LONG_ENOUGH = 12

HAN = r"[\u3400-\u9fff]"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w+\}|</?[a-z]+>")
TOUCHING = re.compile(f"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}")
HALF_WIDTH = re.compile(rf"{HAN}\s*[,.!?:;()\"']|[,!?:;()\"']\s*{HAN}")
BESIDE_FULL_WIDTH = re.compile(r"[，。：；？！、（）“”] | [，。：；？！、（）“”]")


# The catalog -------------------------------------------------------------------------------------
def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="zh_Hans", abort_invalid=True)


@cache
def catalog() -> Catalog:
    return read(CATALOG)


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """The text, or the text of each number."""
    return (value,) if isinstance(value, str) else tuple(value)


def key(message: Message) -> tuple[str | None, tuple[str, ...]]:
    return message.context, texts(message.id)


def translations() -> list[tuple[str, str]]:
    """What the code says and what stands for it; of a plural, the text for many."""
    return [(texts(one.id)[-1], text) for one in messages(catalog()) for text in texts(one.string)]


def test_chinese_has_one_form_for_every_number():
    assert catalog().num_plurals == 1
    assert {len(texts(message.string)) for message in messages(catalog())} == {1}


def test_every_text_is_translated():
    assert messages(catalog())
    assert [said for said, text in translations() if not text.strip()] == []


def test_nothing_waits_for_a_check_or_is_left_over():
    assert [message.id for message in messages(catalog()) if message.fuzzy] == []
    assert list(catalog().obsolete) == []


def test_placeholders_and_tags_are_those_of_the_code():
    wrong = [
        (said, text)
        for said, text in translations()
        if sorted(PLACEHOLDER.findall(said)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert wrong == []


def mistakes_of_type(text: str) -> list[str]:
    """Half-width punctuation, exclamation marks, Chinese that touches Latin letters or digits."""
    # What a placeholder becomes is not known: one may be a word in Chinese.
    bare = PLACEHOLDER.sub("\ufffc", text)
    faults = [TOUCHING, HALF_WIDTH, BESIDE_FULL_WIDTH, re.compile("[!！]")]
    return [found[0] for fault in faults for found in fault.finditer(bare)]


@pytest.mark.parametrize(
    "text", ["共3张", "3 张, 已标注", "完成！", "请重试 。", "“图片” (选填)", "好:"]
)
def test_a_mistake_of_type_is_seen(text):
    assert mistakes_of_type(text)


def test_chinese_is_set_as_chinese():
    faults = {text: mistakes_of_type(text) for _said, text in translations()}
    assert {text: found for text, found in faults.items() if found} == {}


def test_the_catalog_holds_every_text_of_the_code(tmp_path):
    """Read from a copy: makemessages writes beside the files that it reads."""
    needs.program("xgettext", "gettext")
    for name in SOURCES:
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(REPOSITORY / "manage.py", tmp_path)
    copy = tmp_path / CATALOG.relative_to(REPOSITORY)
    copy.parent.mkdir(parents=True)
    shutil.copy(CATALOG, copy)

    command = ["manage.py", "makemessages", "--locale", "zh_Hans", "--verbosity", "0"]
    command += ["--extension", "html,txt,py,jinja"]
    environment = {"DJANGO_SETTINGS_MODULE": "labelhub.settings", "PATH": os.environ["PATH"]}
    subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=environment, check=True, timeout=120
    )

    said = {key(message) for message in messages(read(copy))}
    held = {key(message) for message in messages(catalog())}
    assert said - held == set(), "run `make messages` and translate what is new"
    assert held - said == set(), "run `make messages`: the code no longer says this"


# The pages ---------------------------------------------------------------------------------------
@cache
def english_texts() -> list[str]:
    """Of each translated text, the longest piece between its placeholders."""
    pieces = set()
    for message in messages(catalog()):
        for said in texts(message.id):
            piece = max(PLACEHOLDER.split(said), key=len).strip()
            if len(piece) > LONG_ENOUGH and any(letter in string.ascii_letters for letter in piece):
                pieces.add(piece)
    return sorted(pieces)


def english_on(response) -> list[str]:
    page = html.unescape(response.content.decode())
    return [text for text in english_texts() if text in page]


@pytest.fixture
def job(alice, bob, carol):
    """A job with something of everything that a page can show."""
    made = make.job(owner=alice, labels=("cat", "dog"), mode="single", name="Animals")
    make.member(made, bob)
    make.member(made, carol, Role.REVIEWER)
    samples = make.images(made, 4)
    owner = make.membership(made, alice)
    annotate(owner, Selection(ids=(samples[0].pk,)), add=[made.labels.first().pk])
    Prediction.objects.create(
        sample=samples[1],
        model="PPLCNetV2_base",
        numeric_mode="fp32",
        labels=[["dog", 0.8], ["red fox, Vulpes vulpes", 0.1]],
    )
    people_services.invite(owner, email="erin@example.org", role=Role.MANAGER)
    return made


def finished_run(job, user, kind: RunKind, **fields) -> Run:
    now = timezone.now()
    given = {"state": RunState.DONE, "total": 4, "done": 4, "started_at": now, "finished_at": now}
    return Run.objects.create(kind=kind, job=job, created_by=user, **given | fields)


def an_import(job, user) -> Run:
    counts = {"added": 3, "changed": 1, "already": 2, "refused": 1}
    run = finished_run(job, user, RunKind.SYNC, counts=counts)
    Problem.objects.create(run=run, item="empty.jpg", code="empty-file")
    return run


def an_export(job, user) -> Run:
    params = {"format": "paddleclas", "ratios": [80, 10, 10], "seed": 0, "with_images": False}
    counts = {"train": 2, "val": 1, "test": 1, "left_out:empty": 1, "changed:renamed": 1}
    return finished_run(job, user, RunKind.EXPORT, params=params, counts=counts)


def pages_of(job, user) -> Iterator[str]:
    """Addresses of what members of a job see."""
    yield from (reverse(name) for name in ("job_list", "job_new", "keys", "profile"))
    for name in ("job", "members", "export", "add_data"):
        yield reverse(name, args=[job.pk])
    label = job.labels.first()
    for query in ("state=unlabeled", f"label={label.pk}", f"by={user.pk}", "path=nothing-like-it"):
        yield f"{reverse('job', args=[job.pk])}?{query}"
    yield from (reverse("sample", args=[job.pk, sample.pk]) for sample in job.samples.all()[:3])
    yield from (reverse("run", args=[job.pk, run.pk]) for run in job.runs.all())
    member = job.members.exclude(user=user).first()
    yield reverse("member_remove", args=[job.pk, member.pk])


def door() -> Iterator[str]:
    """Addresses of what everybody sees."""
    yield from (
        reverse(name)
        for name in ("sign_in", "password_reset", "password_reset_done", "password_reset_complete")
    )
    yield reverse("invitation", args=["no-such-token"])


def assert_chinese(response) -> None:
    page = response.content.decode()
    assert '<html lang="zh-CN"' in page
    assert english_on(response) == []


@pytest.mark.django_db
def test_pages_of_a_job_are_chinese(job, alice):
    an_import(job, alice)
    an_export(job, alice)
    client = make.client(alice, **CHINESE)

    for address in pages_of(job, alice):
        response = client.get(address)

        assert response.status_code == 200, address
        assert_chinese(response)


@pytest.mark.django_db
def test_pages_without_content_are_chinese(alice, dan, job):
    empty = make.job(owner=alice, labels=(), name="Empty")
    client = make.client(alice, **CHINESE)

    for name in ("job", "export"):
        assert_chinese(client.get(reverse(name, args=[empty.pk])))
    for refused in (
        make.client(dan, **CHINESE).get(reverse("job_list")),
        make.client(dan, **CHINESE).get(reverse("job", args=[job.pk])),
        client.post(reverse("job_new"), {"name": "", "source": "folder", "labels": "a b"}),
        client.post(reverse("label_list", args=[empty.pk]), {"name": "a b"}),
    ):
        assert english_on(refused) == []


@pytest.mark.django_db
def test_the_door_is_chinese():
    client = make.client(**CHINESE)
    wrong = {"username": "bob@example.org", "password": "not-this-one"}

    for address in door():
        assert_chinese(client.get(address))
    assert_chinese(client.post(reverse("sign_in"), wrong))


@pytest.mark.django_db
def test_the_first_page_and_its_complaints_are_chinese():
    address = people_services.start_setup().removeprefix(settings.PUBLIC_URL)
    client = make.client(**CHINESE)

    assert_chinese(client.get(address))
    refused = client.post(address, {"name": "李明", "email": "liming", "password": "1234567"})
    assert_chinese(refused)
    # Django's own Chinese catalog lacks this one.
    assert "密码过短" in refused.content.decode()


@pytest.mark.django_db
def test_the_search_for_english_finds_english(job, alice):
    client = make.client(alice)

    for address in pages_of(job, alice):
        assert english_on(client.get(address)), address


@pytest.mark.django_db
def test_the_language_that_is_chosen_is_kept(alice):
    client = make.client(alice)

    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})

    assert_chinese(client.get(reverse("job_list")))


# The templates -----------------------------------------------------------------------------------
# Names that no language changes: the product, and what is printed on keys.
_NAMES = re.compile(r"LabelHub|<kbd>[^<]*</kbd>|\((Ctrl|Shift|Esc|Page (Up|Down)|[+A-Z])+\)")
_SAID_BY_TAGS = re.compile(
    r"{% comment %}.*?{% endcomment %}|{% blocktranslate.*?{% endblocktranslate %}"
    r"|{#.*?#}|{%.*?%}|{{.*?}}",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""\b(?:title|alt|placeholder|aria-label)=("[^"]*"|'[^']*')""")


def bare_words(template: str) -> list[str]:
    """Words that no translation reaches: between the tags, or in an attribute that is read out."""
    left = _NAMES.sub("", _SAID_BY_TAGS.sub("\ufffc", template))
    pieces = _ATTRIBUTE.findall(left) + re.sub(r"<[^>]*>", "\ufffc", left).split("\ufffc")
    return [piece.strip() for piece in pieces if re.search(rf"[A-Za-z]{{2}}|{HAN}", piece)]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>Nothing here</p>", ["Nothing here"]),
        ("{% if a %}Yes{% endif %}", ["Yes"]),
        ('<img alt="A picture">', ['"A picture"']),
        ('<p title="{% translate \'Undo\' %} (Ctrl+Z)">{% translate "Undo" %}</p>', []),
        ("{% comment %}job: of the page{% endcomment %}<kbd>Enter</kbd> LabelHub {{ a }}", []),
    ],
)
def test_words_that_no_translation_reaches_are_seen(template, words):
    assert bare_words(template) == words


def test_templates_hold_no_words_of_their_own():
    folder = REPOSITORY / "templates"
    templates = sorted([*folder.rglob("*.html"), *folder.rglob("*.jinja")])

    assert templates
    assert {path.name: found for path in templates if (found := bare_words(path.read_text()))} == {}


# The scripts -------------------------------------------------------------------------------------
# Comments first: what is quoted in them is no text.
_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)",
    re.DOTALL,
)
_SELECTOR = re.compile(r"(querySelector(All)?|closest|matches)(<\w+>)?\(\s*$")
_SHOWN = re.compile(r"(textContent|innerText|title|placeholder|ariaLabel)\s*=\s*$")
_WORDS = re.compile(rf"[A-Za-z]{{2}},? [A-Za-z]{{2}}|\d [A-Za-z]{{2}}|{HAN}")


def sentences(script: str) -> list[str]:
    """Its string literals that somebody would read."""
    found = []
    for token in _TOKEN.finditer(script):
        before, literal = script[: token.start()], token[1]
        if literal is None or _SELECTOR.search(before):
            continue
        text = re.sub(r"\$\{.*?\}", "0", literal)
        if _WORDS.search(text) or (_SHOWN.search(before) and re.search("[A-Za-z]", text)):
            found.append(literal)
    return found


@pytest.mark.parametrize(
    "script",
    [
        'toast({ text: "Nothing to undo" });',
        "say(`${count} images`);",
        "const word = '图片';",
        'button.title = "Close";',
    ],
)
def test_a_sentence_in_a_script_is_seen(script):
    assert sentences(script) == [re.search("[\"'`].*[\"'`]", script)[0]]


@pytest.mark.parametrize(
    "script",
    [
        'page.querySelector("dialog button");',
        '// say "one two three"\nopen();',
        'item.append(words("say-last"), "+", `${count}`);',
    ],
)
def test_what_nobody_reads_is_no_sentence(script):
    assert sentences(script) == []


def test_scripts_hold_no_sentences():
    scripts = sorted(SCRIPTS.rglob("*.js"))

    assert scripts
    assert {
        script.name: found for script in scripts if (found := sentences(script.read_text()))
    } == {}
