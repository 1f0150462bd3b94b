"""What people fill in about themselves and about those they invite."""

from typing import Any

from django import forms
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from annotators.models import User
from annotators.roles import INVITABLE, ROLE_MEANINGS, ROLE_NAMES, Role
from annotators.widgets import PasswordWithReveal, RadioCards

PASSWORD_RULE = _("8 characters or more, not a common word, not only digits.")


def _new_password_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        help_text=PASSWORD_RULE,
        widget=PasswordWithReveal(attrs={"autocomplete": "new-password"}),
    )


class SignInForm(auth_forms.AuthenticationForm):
    error_messages = {
        "invalid_login": _("Email and password do not match. Check both and try again."),
        "inactive": _("This account is switched off. Ask the owner of LabelHub."),
    }
    username = forms.EmailField(
        label=_("Email"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=PasswordWithReveal(attrs={"autocomplete": "current-password"}),
    )

    def clean_username(self) -> str:
        # One spelling, so that tries at one account are counted together.
        return self.cleaned_data["username"].lower()


class NewAccountForm(forms.Form):
    """Name and password of a person whose email is known from the invitation."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = _new_password_field(_("Password"))

    def __init__(self, *args: Any, email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("password"):
            self._check_password(data["password"])
        return data

    def _check_password(self, password: str) -> None:
        person = User(
            email=self.cleaned_data.get("email", self.email),
            name=self.cleaned_data.get("name", ""),
        )
        try:
            password_validation.validate_password(password, person)
        except ValidationError as error:
            self.add_error("password", error)


class WelcomeForm(NewAccountForm):
    """The first person chooses an email as well."""

    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        help_text=_("You sign in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    field_order = ["name", "email", "password"]


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("Email"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(role.value, ROLE_NAMES[role]) for role in reversed(INVITABLE)],
        initial=Role.LABELER.value,
        widget=RadioCards(meanings=ROLE_MEANINGS),
    )

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=InviteForm.base_fields["role"].choices)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class NameForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["name"]
        labels = {"name": _("Your name")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True


class NewPasswordForm(auth_forms.SetPasswordForm):
    """Django's, with one field: the button that shows it does what typing it twice did."""

    new_password1 = _new_password_field(_("New password"))
    new_password2 = None

    def clean(self) -> dict[str, Any]:
        self.validate_password_for_user(self.user, "new_password1")
        return self.cleaned_data


class ChangePasswordForm(NewPasswordForm, auth_forms.PasswordChangeForm):
    old_password = forms.CharField(
        label=_("Current password"),
        strip=False,
        widget=PasswordWithReveal(attrs={"autocomplete": "current-password"}),
    )
    error_messages = {"password_incorrect": _("This is not your current password.")}
    field_order = ["old_password", "new_password1"]
