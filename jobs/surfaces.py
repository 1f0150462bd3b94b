"""The pages one labels on: the grid, the viewer, and the fragments that both bring."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from annotators import key_tables
from annotators.access import member_or_404
from annotators.models import Member
from annotators.own_keys import keys_of
from annotators.roles import Ability
from annotators.shortcuts import palette_commands
from datasets import problems
from datasets.models import Image
from jobs import counters, filmstrip, originals, pages
from jobs.filter_chips import active_filters
from jobs.forms import (
    LabelForm,
)
from jobs.models import Job, Sample, SampleState
from jobs.sorting import SORTS, Cursor
from jobs.tiles import label_ids, label_rows, newest_prediction, offers, tiles_of
from labelhub.errors import DomainError
from labels.models import Label
from labels.services import create_label
from runs.models import Run, RunKind

# A name that was refused; htmx swaps this status in (base.html).
UNPROCESSABLE = 422
# Written by the script of the slider.
TILE_COOKIE = "labelhub_tile"
TILE_SIZES, DEFAULT_TILE = ("1", "2", "3", "4", "5"), "3"
# Whether the filters are open beside the grid: static/js/filters.js writes it.
FILTERS_COOKIE = "labelhub_filters"
YEAR = 365 * 24 * 3600
MOST_TILES = 200
# So many images behind the one in the viewer are loaded ahead, and one before it.
LOADED_AFTER = 2


# The grid ----------------------------------------------------------------------------------------
@login_required
@require_GET
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """The grid. Its address opens "Unlabeled" when it says nothing; "All" is `state=all`."""
    place = pages.read_place(pages.opened(request.GET), size=pages.kept_size(request.COOKIES))
    if not pages.is_plain(request.GET):
        return redirect(f"{reverse('job', args=[job_id])}?{place.query()}")
    member = member_or_404(request.user, job_id, Ability.VIEW)
    labels = list(member.job.labels.all())
    # Before the samples: should an import end in between, the browser sees the numbers change and
    # asks for the page again. The other way round it would show numbers without tiles.
    counts = counters.read(member.job)
    page = pages.read_page(member.job, place, counts)
    context = _panel(member, labels, counts) | {
        "page": page,
        "tiles": tiles_of(page.rows, labels, job_id=job_id, place=place),
        "place": place,
        "state": place.state,
        "tabs": _tabs(place, counts),
        "found": page.total,
        "tile_size": _kept_tile(request),
        "active": active_filters(member.job, place, labels, counts),
        "orders": orders(place),
        "everywhere": _page_query(place, state=""),
        "is_filtering": request.COOKIES.get(FILTERS_COOKIE) == "open",
        "sizes": [(size, _page_query(place, size=size)) for size in pages.PAGE_SIZES],
        "import": _last_import(member.job),
    }
    response = render(request, "jobs/job.html", context)
    # The viewer opens over the grid.
    originals.allow_originals(request, response, member.job.dataset.storage)
    if request.GET.get("size") == str(place.size):
        keep = {"max_age": YEAR, "samesite": "Lax", "httponly": True}
        response.set_cookie(pages.SIZE_COOKIE, place.size, **keep)
    return response


def _last_import(job: Job) -> Run | None:
    """The last import or synchronization of the job's dataset, whoever asked for it where."""
    imports = job.shown_runs().filter(kind__in=[RunKind.IMPORT, RunKind.SYNC]).order_by("-id")
    return imports.annotate(problem_count=Count("problems")).first()


def _kept_tile(request: HttpRequest) -> str:
    """How large the person chose tiles to be."""
    kept = request.COOKIES.get(TILE_COOKIE, "")
    return kept if kept in TILE_SIZES else DEFAULT_TILE


def _page_query(place: pages.Place, **changes: Any) -> str:
    return pages.start_of(place, **changes).query()


def _panel(member: Member, labels: list[Label], counts: dict[str, int]) -> dict[str, Any]:
    """What the header and the label panel of both work surfaces show."""
    return counters.progress(counts) | {
        "counts": counts,
        "member": member,
        "job": member.job,
        "rows": label_rows(labels, counts, keys_of(member.user)),
        "can_label": member.can(Ability.LABEL),
        "can_create_label": member.can(Ability.CREATE_LABEL),
    }


def _tabs(place: pages.Place, counts: dict[str, int]) -> list[dict[str, Any]]:
    tabs = [{"state": "", "name": _("All"), "key": "all", "count": pages.total_of(counts)}]
    for state in SampleState:
        key = counters.state_key(state)
        tabs.append({"state": state, "name": state.label, "key": key, "count": counts.get(key, 0)})
    return [tab | {"query": _page_query(place, state=tab["state"])} for tab in tabs]


_ORDERS = {
    "added": gettext_lazy("Added, oldest first"),
    "-added": gettext_lazy("Added, newest first"),
    "path": gettext_lazy("Path, A to Z"),
    "-path": gettext_lazy("Path, Z to A"),
    "-time": gettext_lazy("Labeled, newest first"),
    "time": gettext_lazy("Labeled, oldest first"),
    "-score": gettext_lazy("Most confident first"),
    "score": gettext_lazy("Most uncertain first"),
}


def orders(place: pages.Place) -> list[dict[str, Any]]:
    """The orders that the menu offers, the one of the page marked."""
    return [
        {
            "name": name,
            "query": _page_query(place, sort=SORTS[order]),
            "is_current": SORTS[order] == place.sort,
        }
        for order, name in _ORDERS.items()
    ]


@login_required
@require_GET
def tiles(request: HttpRequest, job_id: int) -> HttpResponse:
    """The tiles of these samples, for repainting them in place."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    raw = request.GET.get("ids", "").split(",")
    if len(raw) > MOST_TILES or not all(one.isascii() and one.isdigit() for one in raw):
        return HttpResponseBadRequest()
    found = member.job.samples.filter(pk__in=raw).order_by("pk")
    place, rows = pages.read_place(request.GET), pages.tile_rows(found, MOST_TILES)
    made = tiles_of(rows, member.job.labels.all(), job_id=job_id, place=place)
    return render(request, "jobs/tiles.jinja", {"tiles": made}, using="jinja2")


@login_required
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def label_list(request: HttpRequest, job_id: int) -> HttpResponse:
    """The label panel; a POST adds a label."""
    ability = Ability.CREATE_LABEL if request.method == "POST" else Ability.VIEW
    member = member_or_404(request.user, job_id, ability)
    form, error = LabelForm(request.POST or None), ""
    if form.is_valid():
        try:
            create_label(member.job, form.cleaned_data["name"])
        except DomainError as refused:
            error = refused.message
    elif request.method == "POST":
        error = _("A label needs a name.")
    if not request.htmx:
        if error:
            messages.error(request, error)
        return redirect("job", member.job_id)
    labels = list(member.job.labels.all())
    context = _panel(member, labels, counters.read(member.job))
    context |= {"error": error, "typed_name": form.data.get("name", "") if error else ""}
    return render(request, "jobs/_labels.html", context, status=UNPROCESSABLE if error else 200)


@login_required
@require_GET
@vary_on_headers("HX-Request")
def keys(request: HttpRequest) -> HttpResponse:
    """The help on keys: a dialog, or without scripts a page."""
    own = keys_of(request.user)
    context = {"keys": own, "sections": key_tables.help_sections(own)}
    return render(request, "jobs/_keys.html" if request.htmx else "jobs/keys.html", context)


@login_required
@require_GET
def palette(request: HttpRequest, job_id: int) -> HttpResponse:
    """The dialog that finds labels and commands, for a script that fills it."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    commands = palette_commands(member.can)
    context = {
        "job": member.job,
        "commands": key_tables.lines(keys_of(member.user), commands),
        "can_label": member.can(Ability.LABEL),
        "can_create_label": member.can(Ability.CREATE_LABEL),
    }
    return render(request, "jobs/_palette.html", context)


@require_GET
def state_dialogs(request: HttpRequest) -> HttpResponse:
    """What the work surfaces show to who was signed out or removed; fetched after their page, by
    who is signed out already too."""
    return render(request, "jobs/state_dialogs.html")


# The viewer --------------------------------------------------------------------------------------
@login_required
@require_GET
@vary_on_headers("HX-Request")
def sample(request: HttpRequest, job_id: int, sample_id: int) -> HttpResponse:
    """One image large. To a script it gives what changes from image to image."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    rows = member.job.samples.select_related("image__dataset__storage", "last_by")
    found = get_object_or_404(
        rows.prefetch_related("annotations__user", "predictions"), pk=sample_id
    )
    place = pages.read_place(request.GET)
    labels = list(member.job.labels.all())
    counts = None if request.htmx else counters.read(member.job)
    context = _viewed(member, found, place, labels, counts)
    context |= originals.shown(request, job_id, found.pk, found.image)
    if counts is None:
        return render(request, "jobs/_sample.html", context)
    context |= _panel(member, labels, counts)
    response = render(request, "jobs/sample.html", context)
    originals.allow_originals(request, response, found.image.dataset.storage)
    return response


def _viewed(
    member: Member,
    found: Sample,
    place: pages.Place,
    labels: list[Label],
    counts: dict[str, int] | None,
) -> dict[str, Any]:
    around = pages.neighbours(member.job, place, found, counts)

    def address(there: Cursor | None) -> str:
        return _address("sample", member, place, there)

    strip = [*reversed(around.before), around.here, *around.after]
    carried = {annotation.label_id: annotation for annotation in found.annotations.all()}
    newest = newest_prediction(found)
    return {
        "member": member,
        "job": member.job,
        "sample": found,
        "name": found.path.rpartition("/")[2],
        "grid_query": place.viewer_query() or pages.EVERYTHING,
        "previous": address(around.previous),
        "next": address(around.next),
        "unlabeled": _address("next_unlabeled", member, place, around.here),
        "ahead": [address(one) for one in around.after[:LOADED_AFTER] + around.before[:1]],
        "frames": filmstrip.frames(member.job, {one.pk: address(one) for one in strip}),
        "remark": _remark(found.image),
        "carried": [(label, carried[label.pk]) for label in labels if label.pk in carried],
        "label_ids": label_ids(carried, found.state),
        "prediction": newest,
        "offers": offers(member, found, newest, labels) if newest else [],
        "can_label": member.can(Ability.LABEL),
        "can_predict": member.can(Ability.PREDICT),
    }


def _address(name: str, member: Member, place: pages.Place, there: Cursor | None) -> str:
    """Of a page about one sample of the list; nothing where there is no sample."""
    if there is None:
        return ""
    query = place.viewer_query(there)
    path = reverse(name, args=[member.job_id, there.pk])
    return f"{path}?{query}" if query else path


def _remark(image: Image) -> str:
    """What is to be known of the file, if anything."""
    if image.missing_since:
        return _("The file was not there any more when the storage was last looked through.")
    return problems.describe(image.problem, image.problem_params) if image.problem else ""


@login_required
@require_GET
@vary_on_headers("HX-Request")
def next_unlabeled(request: HttpRequest, job_id: int, sample_id: int) -> HttpResponse:
    """To the next image without labels. A script gets its address, or nothing."""
    member = member_or_404(request.user, job_id, Ability.VIEW)
    found = get_object_or_404(member.job.samples.all(), pk=sample_id)
    place = pages.read_place(request.GET)
    there = _next_unlabeled(member.job, place, found)
    if request.htmx:
        return HttpResponse(escape(_address("sample", member, place, there)))
    if there is None:
        messages.info(request, _("No unlabeled image is left."))
    here = pages.here(place, found)
    return redirect(_address("sample", member, place, there or here))


def _next_unlabeled(job: Job, place: pages.Place, sample: Sample) -> Cursor | None:
    """The next one behind the sample, else the first of all, under the same filters."""
    unlabeled = pages.start_of(place, size=1, state=SampleState.UNLABELED)
    found = pages.neighbours(job, replace(unlabeled, cursor=place.cursor), sample).next
    if found is not None:
        return found
    first = [pages.cursor_of(row, place.sort) for row in pages.read_page(job, unlabeled).rows]
    return next((one for one in first if one.pk != sample.pk), None)
