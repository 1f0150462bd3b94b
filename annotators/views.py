"""Pages of people: the door (sign in, welcome, invitation, password), the profile, the members."""

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.forms import BaseForm
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
    QueryDict,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect

from annotators import key_tables, services
from annotators import own_keys as keys
from annotators.access import member_or_404, require
from annotators.appearance import THEME_COOKIE, THEMES
from annotators.chords import NAMES, shown
from annotators.forms import (
    ChangePasswordForm,
    InviteForm,
    NameForm,
    NewAccountForm,
    NewPasswordForm,
    RoleForm,
    SignInForm,
    WelcomeForm,
)
from annotators.models import Invitation, Member, User
from annotators.roles import ROLE_MEANINGS, Ability, Role
from annotators.services import Invited
from annotators.shortcuts import COMMANDS
from labelhub.errors import DomainError

# A form that is shown again with what is wrong in it; htmx swaps this status in (base.html).
UNPROCESSABLE = 422
GONE = 410
YEAR = 365 * 24 * 3600
PASSWORD_BACKEND = "django.contrib.auth.backends.ModelBackend"


# The door ----------------------------------------------------------------------------------------
# A link that still works is answered with 200 whatever is wrong in its form: Django writes the
# address of every 4xx to the log, and these addresses are secrets.
class SignIn(auth_views.LoginView):
    template_name = "annotators/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self) -> str:
        address = super().get_redirect_url()
        # This page itself as the next one would go round in circles.
        return "" if address.split("?")[0] == self.request.path else address


sign_in = SignIn.as_view()
sign_out = auth_views.LogoutView.as_view()


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """The first start's one-time link: its reader becomes the owner of the installation."""
    found = services.find_invitation(token)
    if found is None or found.job_id or not found.is_open:
        return _link_gone(request, found)
    form = WelcomeForm(request.POST or None)
    if form.is_valid():
        try:
            user = services.finish_setup(token, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            login(request, user, backend=PASSWORD_BACKEND)
            return redirect("job_list")
    return render(request, "annotators/welcome.html", {"form": form})


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who invites to what, and the way in: a new account, signing in, or one button."""
    found = services.find_invitation(token)
    if found is None or found.job_id is None or not found.is_open:
        return _used_by_member(request, found) or _link_gone(request, found)
    if request.user.is_authenticated:
        return _accept_signed_in(request, found, token)
    context = {"invitation": found, "meaning": ROLE_MEANINGS[Role(found.role)]}
    if User.objects.filter(email__iexact=found.email).exists():
        return render(request, "annotators/invitation_sign_in.html", context)
    form = NewAccountForm(request.POST or None, email=found.email)
    if form.is_valid():
        try:
            member = services.join_with_new_account(token, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            login(request, member.user, backend=PASSWORD_BACKEND)
            return redirect("job", member.job_id)
    context["form"] = form
    return render(request, "annotators/invitation.html", context)


def _accept_signed_in(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    context = {"invitation": found, "meaning": ROLE_MEANINGS[Role(found.role)]}
    context["is_for_user"] = request.user.email.lower() == found.email.lower()
    if request.method == "POST":
        try:
            member = services.join(token, user=request.user)
        except DomainError as error:
            context["error"] = error.message
        else:
            return redirect("job", member.job_id)
    return render(request, "annotators/invitation_accept.html", context)


def _used_by_member(request: HttpRequest, found: Invitation | None) -> HttpResponse | None:
    """The link of an invitation that was accepted still leads its person to the job."""
    if found is None or not found.accepted_at or not request.user.is_authenticated:
        return None
    is_member = Member.objects.filter(job_id=found.job_id, user=request.user).exists()
    return redirect("job", found.job_id) if is_member else None


def _link_gone(request: HttpRequest, found: Invitation | None) -> HttpResponse:
    return render(request, "annotators/link_gone.html", {"invitation": found}, status=GONE)


def _status_of(form: BaseForm) -> int:
    return UNPROCESSABLE if form.errors else 200


password_reset = auth_views.PasswordResetView.as_view(
    template_name="annotators/password_reset.html",
    email_template_name="annotators/password_reset_mail.txt",
    subject_template_name="annotators/password_reset_subject.txt",
    # Links start with the address from the settings, never with the Host that a request names.
    extra_email_context={"public_url": settings.PUBLIC_URL},
)
password_reset_done = auth_views.PasswordResetDoneView.as_view(
    template_name="annotators/password_reset_done.html"
)
password_reset_confirm = auth_views.PasswordResetConfirmView.as_view(
    template_name="annotators/password_reset_confirm.html", form_class=NewPasswordForm
)
password_reset_complete = auth_views.PasswordResetCompleteView.as_view(
    template_name="annotators/password_reset_complete.html"
)


# The own account ---------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    form = NameForm(request.POST or None, instance=request.user)
    if form.is_valid():
        services.rename(request.user, form.cleaned_data["name"])
        messages.success(request, _("Your name was saved."))
        return redirect("profile")
    return _profile(request, name_form=form)


@login_required
@sensitive_post_parameters()
@require_POST
def password_change(request: HttpRequest) -> HttpResponse:
    form = ChangePasswordForm(request.user, request.POST)
    if form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("Your password was changed. Other browsers are signed out."))
        return redirect("profile")
    return _profile(request, password_form=form)


def _profile(
    request: HttpRequest,
    *,
    name_form: NameForm | None = None,
    password_form: ChangePasswordForm | None = None,
    at: dict[str, Any] | None = None,
) -> HttpResponse:
    forms = {
        "name_form": name_form or NameForm(instance=request.user),
        "password_form": password_form or ChangePasswordForm(request.user),
    }
    context = forms | _keys(request, **(at or {"edited": request.GET.get("key", "")}))
    status = UNPROCESSABLE if at else max(_status_of(form) for form in forms.values())
    return render(request, "annotators/profile.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def own_keys(request: HttpRequest) -> HttpResponse:
    """The part of the profile with the keys; a POST gives a command others, resets one or all, or
    switches those of one character."""
    name = request.POST.get("command", "")
    if request.method == "GET":
        at = {"edited": request.GET.get("key", ""), "refocus": request.GET.get("from", "")}
        return _own_keys(request, **at)
    if name and name not in COMMANDS:
        return HttpResponseBadRequest()
    try:
        _change_keys(request.user, name, request.POST)
    except DomainError as error:
        typed = request.POST.getlist("chord")
        return _own_keys(request, edited=name, typed=typed, refusal=error.message)
    return _own_keys(request, refocus=request.POST.get("switch", name))


def _change_keys(user: User, name: str, asked: QueryDict) -> None:
    if "switch" in asked:
        keys.switch_keys(user, on=asked["switch"] == "on")
    elif asked.get("reset") == "all":
        keys.reset_all_keys(user)
    elif "reset" in asked and name:
        keys.reset_keys(user, name)
    elif name:
        keys.set_keys(user, name, asked.getlist("chord"))


def _own_keys(request: HttpRequest, **at: Any) -> HttpResponse:
    """To a script the part; else the profile, again or with what was refused in it."""
    context, refusal = _keys(request, **at), at.get("refusal")
    if request.htmx:
        status = UNPROCESSABLE if refusal else 200
        return render(request, "annotators/_own_keys.html", context, status=status)
    if not refusal:
        edited = {"key": at["edited"]} if at.get("edited") else {}
        return redirect(reverse("profile", query=edited, fragment="keys"))
    return _profile(request, at=at)


def _keys(
    request: HttpRequest,
    *,
    edited: str = "",
    typed: list[str] | None = None,
    refusal: str = "",
    refocus: str = "",
) -> dict[str, Any]:
    own = keys.keys_of(request.user)
    if edited and typed is None and edited in COMMANDS:
        typed = [shown(chord) for chord in own.chords(edited)]
    return {
        "keys": own,
        "sections": key_tables.command_sections(own),
        "names": json.dumps({name: str(words) for name, words in NAMES.items()}),
        "edited": edited,
        "typed": typed,
        "refusal": refusal,
        "refocus": refocus,
    }


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme")
    if theme not in THEMES:
        return HttpResponseBadRequest()
    address = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()})
    response = HttpResponseRedirect(address) if is_safe else redirect("job_list")
    response.set_cookie(
        THEME_COOKIE,
        theme,
        max_age=YEAR,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
    )
    return response


# Members of a job --------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def members(request: HttpRequest, job_id: int) -> HttpResponse:
    """Who works here; a POST invites somebody."""
    member = member_or_404(request.user, job_id, Ability.SEE_MEMBERS)
    if request.method == "GET":
        return _members(request, member)
    require(member, Ability.MANAGE_MEMBERS)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invited = services.invite(member, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return _members(request, member, invited=invited)
    return _members(request, member, form=form)


@login_required
@require_POST
def member_role(request: HttpRequest, job_id: int, member_id: int) -> HttpResponse:
    member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
    target = get_object_or_404(member.job.members.select_related("user"), pk=member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    try:
        services.set_role(target, role=form.cleaned_data["role"])
    except DomainError as error:
        return _refused(request, member, error)
    said = _("%(who)s is now %(role)s.") % {
        "who": target.user,
        "role": target.get_role_display(),
    }
    return _done(request, member, said)


@login_required
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
def member_remove(request: HttpRequest, job_id: int, member_id: int) -> HttpResponse:
    """Asks on GET: a dialog for htmx, a page without a script."""
    member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
    target = get_object_or_404(member.job.members.select_related("user"), pk=member_id)
    if request.method == "GET":
        template = "_member_remove.html" if request.htmx else "member_remove.html"
        context = {"member": member, "target": target}
        return render(request, f"annotators/{template}", context)
    try:
        services.remove_member(target)
    except DomainError as error:
        return _refused(request, member, error)
    return _done(request, member, _("%(who)s was removed.") % {"who": target.user})


@login_required
@require_POST
def invitation_revoke(request: HttpRequest, job_id: int, invitation_id: int) -> HttpResponse:
    member = member_or_404(request.user, job_id, Ability.MANAGE_MEMBERS)
    target = get_object_or_404(member.job.invitations, pk=invitation_id)
    services.revoke_invitation(target)
    said = _("The invitation of %(email)s was withdrawn.") % {"email": target.email}
    return _done(request, member, said)


def _members(
    request: HttpRequest,
    member: Member,
    *,
    form: InviteForm | None = None,
    invited: Invited | None = None,
    status: int = 200,
) -> HttpResponse:
    """The whole page, or for htmx the part of it that changes."""
    open_invitations = member.job.invitations.filter(accepted_at=None, revoked_at=None)
    context = {
        "member": member,
        "members": member.job.members.select_related("user").order_by("joined_at", "pk"),
        "invitations": open_invitations.select_related("invited_by").order_by("pk"),
        "form": form or InviteForm(),
        "invited": invited,
        "mail_is_kept": not settings.EMAIL_URL,
        "roles": InviteForm.base_fields["role"].choices,
    }
    template = "_members.html" if request.htmx else "members.html"
    status = _status_of(form) if form else status
    return render(request, f"annotators/{template}", context, status=status)


def _done(request: HttpRequest, member: Member, said: str) -> HttpResponse:
    messages.success(request, said)
    own = member.job.members.filter(pk=member.pk).first()
    if own is None or not own.can(Ability.SEE_MEMBERS):
        # They gave up their own role: this page is closed to them now.
        here = reverse("job_list")
        return HttpResponseClientRedirect(here) if request.htmx else redirect(here)
    return _members(request, own) if request.htmx else redirect("members", member.job_id)


def _refused(request: HttpRequest, member: Member, error: DomainError) -> HttpResponse:
    messages.error(request, error.message)
    return _members(request, member, status=UNPROCESSABLE)
