from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.utils.translation import gettext_lazy as _

from annotators.models import Invitation, Member, User


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    ordering = ["email"]
    list_display = ["email", "name", "is_active", "is_staff", "can_create_jobs", "joined_at"]
    list_filter = ["is_active", "is_staff", "can_create_jobs"]
    search_fields = ["email", "name"]
    readonly_fields = ["joined_at", "last_login"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        (
            _("Permissions"),
            {
                "fields": [
                    "is_active",
                    "can_create_jobs",
                    "is_staff",
                    "is_superuser",
                    "groups",
                    "user_permissions",
                ]
            },
        ),
        (_("Dates"), {"fields": ["last_login", "joined_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "password1", "password2"]})]


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):
    list_display = ["user", "job", "role", "joined_at"]
    list_filter = ["role"]
    search_fields = ["user__email", "user__name", "job__name"]
    autocomplete_fields = ["user", "job"]
    list_select_related = ["user", "job"]


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    list_display = ["email", "job", "role", "created_at", "expires_at", "accepted_at", "revoked_at"]
    search_fields = ["email", "job__name"]
    list_select_related = ["job"]
    raw_id_fields = ["job", "invited_by"]

    def has_add_permission(self, request) -> bool:  # noqa: ARG002
        # Its link is known only to the page that makes it.
        return False
