"""Pages of storages: the list, connecting one, and one with its test, its keys and its jobs."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect, reswap

from datasets import connection_tests, services
from datasets.access import (
    may_connect,
    may_open_for_writing,
    require_connect,
    storage_or_404,
    storages_of,
)
from datasets.forms import KeysForm, NewStorageForm, Preset, StorageForm
from datasets.models import Storage, StorageKind
from datasets.storages.checkup import Checkup
from labelhub.errors import DomainError

# A form that is shown again with what is wrong in it; htmx swaps this status in (base.html).
UNPROCESSABLE = 422
# Selectors of what a test found, and of the first field with an error.
_TESTED, _WRONG = "#tested", ".field:has([aria-invalid])"
_KEYS = ("access_key", "secret_key", "session_token")


def _status_of(form: BaseForm) -> int:
    return UNPROCESSABLE if form.errors else 200


@login_required
@require_GET
def storage_list(request: HttpRequest) -> HttpResponse:
    rows = storages_of(request.user).annotate(job_count=Count("datasets__jobs", distinct=True))
    context = {"storages": rows.order_by("name", "pk"), "may_connect": may_connect(request.user)}
    if not context["may_connect"] and not context["storages"]:
        require_connect(request.user)
    return render(request, "datasets/storage_list.html", context)


@login_required
@sensitive_post_parameters(*_KEYS)
@sensitive_variables()
@require_http_methods(["GET", "POST"])
def storage_new(request: HttpRequest) -> HttpResponse:
    """The button `test` only tries what is typed. Connecting tries it too: what cannot be reached
    is connected by the button `anyway` alone."""
    require_connect(request.user)
    if request.method == "GET":
        kind = request.GET.get("kind")
        initial = {"kind": kind} if kind in Preset.values else {}
        form = NewStorageForm(user=request.user)
        form.initial |= initial
        return _storage_new(request, form)
    form = NewStorageForm(request.POST, user=request.user)
    if not form.is_valid():
        return _storage_new(request, form)
    try:
        checkup = services.try_out(form.place, form.keys, by=request.user)
        if "test" in request.POST or not (checkup.is_usable or "anyway" in request.POST):
            return _storage_new(request, form, checkup)
        made = services.connect_storage(
            name=form.cleaned_data["name"],
            place=form.place,
            keys=form.keys,
            by=request.user,
            checkup=checkup,
        )
    except DomainError as error:
        form.refuse(error)
        return _storage_new(request, form)
    messages.success(request, _("“%(name)s” is connected.") % {"name": made.name})
    return _to_storage(request, made)


def _storage_new(
    request: HttpRequest, form: NewStorageForm, checkup: Checkup | None = None
) -> HttpResponse:
    context = {"form": form, "roots": settings.IMAGE_ROOTS}
    if checkup is not None:
        context |= {
            "checkup": checkup,
            "steps": connection_tests.rows(connection_tests.as_json(checkup)),
            "is_refused": "test" not in request.POST,
        }
    page = render(request, "datasets/storage_new.html", context, status=_status_of(form))
    # The form is long: what there is to read comes into view.
    return reswap(page, f"outerHTML show:{_TESTED if checkup else _WRONG}:top")


@login_required
@sensitive_post_parameters(*_KEYS)
@sensitive_variables()
@require_http_methods(["GET", "POST"])
def storage(request: HttpRequest, storage_id: int) -> HttpResponse:
    """One storage; a POST changes where it is, and tests it there."""
    found = storage_or_404(request.user, storage_id)
    if request.method == "GET":
        return _storage(request, found)
    form = StorageForm(request.POST, storage=found, user=request.user)
    if form.is_valid():
        try:
            changed = services.change_storage(
                found,
                name=form.cleaned_data["name"],
                place=form.place,
                keys=form.keys,
                by=request.user,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The storage was saved."))
            return _tested(request, changed)
    return _storage(request, found, form=form)


def _storage(
    request: HttpRequest,
    found: Storage,
    *,
    form: StorageForm | None = None,
    keys_form: KeysForm | None = None,
) -> HttpResponse:
    shown = form or StorageForm(storage=found, user=request.user)
    context = _tested_context(request, found) | {
        "form": shown,
        "keys_form": keys_form or KeysForm(user=request.user, auto_id="new_%s"),
        "is_bucket": found.kind == StorageKind.S3,
        "preset": shown.preset,
        "roots": settings.IMAGE_ROOTS,
        "usage": services.usage_of(found, request.user),
        "datasets": found.datasets.annotate(job_count=Count("jobs")).order_by("name", "pk"),
    }
    status = max(_status_of(one) for one in (form, keys_form) if one) if form or keys_form else 200
    return render(request, "datasets/storage.html", context, status=status)


def _tested_context(request: HttpRequest, found: Storage) -> dict:
    return {
        "storage": found,
        "steps": connection_tests.rows(found.check_results),
        "may_write": may_open_for_writing(request.user, found.kind),
    }


@login_required
@require_POST
def storage_check(request: HttpRequest, storage_id: int) -> HttpResponse:
    """Tests the connection now; to htmx it gives the part of the page that tells how it went."""
    found = storage_or_404(request.user, storage_id)
    services.check_storage_now(found, by=request.user)
    if request.htmx:
        return render(request, "datasets/_tested.html", _tested_context(request, found))
    return redirect("storage", found.pk)


@login_required
@sensitive_post_parameters(*_KEYS)
@sensitive_variables()
@require_POST
def storage_keys(request: HttpRequest, storage_id: int) -> HttpResponse:
    found = storage_or_404(request.user, storage_id)
    form = KeysForm(request.POST, user=request.user, auto_id="new_%s")
    if form.is_valid():
        try:
            changed = services.rotate_keys(found, form.keys, by=request.user)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The new keys were saved."))
            return _tested(request, changed)
    return _storage(request, found, keys_form=form)


@login_required
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
def storage_delete(request: HttpRequest, storage_id: int) -> HttpResponse:
    """Asks on GET: a dialog for htmx, a page without a script."""
    found = storage_or_404(request.user, storage_id)
    if request.method == "GET":
        template = "_storage_delete.html" if request.htmx else "storage_delete.html"
        return render(request, f"datasets/{template}", {"storage": found})
    try:
        services.delete_storage(found, by=request.user)
    except DomainError as error:
        messages.error(request, error.message)
        return _to_storage(request, found)
    messages.success(request, _("“%(name)s” is no longer connected.") % {"name": found.name})
    here = reverse("storage_list")
    return HttpResponseClientRedirect(here) if request.htmx else redirect(here)


def _tested(request: HttpRequest, changed: Storage) -> HttpResponse:
    """To the page of a storage that is another one now: how it is reached is known at once."""
    if changed.checked_at is None:
        services.check_storage_now(changed, by=request.user)
    return _to_storage(request, changed)


def _to_storage(request: HttpRequest, found: Storage) -> HttpResponse:
    here = reverse("storage", args=[found.pk])
    return HttpResponseClientRedirect(here) if request.htmx else redirect(here)
