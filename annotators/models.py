"""People: users who sign in by email, their role in a job, and open invitations."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotators.roles import ROLE_CHOICES, Ability, Role, can


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        user = self.model(email=email.strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        flags = {"is_staff": True, "is_superuser": True, "can_create_jobs": True}
        return self.create_user(email, password, **flags, **fields)

    def get_by_natural_key(self, email: str) -> "User":
        return self.get(email__iexact=email.strip())


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(_("email"), max_length=254)
    name = models.CharField(_("name"), max_length=100, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the admin pages"), default=False)
    can_create_jobs = models.BooleanField(_("may create jobs"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    # Own keys of commands, {command: key}; commands that are not in it have the usual ones.
    keymap = models.JSONField(default=dict, blank=True)
    uses_keys = models.BooleanField(_("keyboard shortcuts"), default=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        words = (self.name or self.email.split("@")[0]).replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"


class Member(models.Model):
    """One person in one job."""

    job = models.ForeignKey("jobs.Job", models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=ROLE_CHOICES)
    joined_at = models.DateTimeField(default=timezone.now)
    # When the person last saw the labeling description, which opens by itself until then.
    instructions_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["user", "job"], name="one_membership_per_job"),
            models.UniqueConstraint(
                fields=["job"], condition=models.Q(role=Role.OWNER.value), name="one_owner_per_job"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[r.value for r in Role]), name="member_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"

    def can(self, ability: Ability | str) -> bool:
        return can(self.role, Ability(ability))


class Invitation(models.Model):
    """A link, good for one use, that makes its reader a member of a job.

    Without a job it sets up the installation: its reader becomes the first superuser. Only the
    digest of the link's secret is kept.
    """

    job = models.ForeignKey("jobs.Job", models.CASCADE, null=True, related_name="invitations")
    email = models.EmailField(_("email"), max_length=254, blank=True)
    role = models.CharField(max_length=10, choices=ROLE_CHOICES)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [models.Index(fields=["job", "email"])]

    def __str__(self) -> str:
        return f"{self.email or 'set-up'} · {self.get_role_display()}"

    @property
    def is_open(self) -> bool:
        return not (self.accepted_at or self.revoked_at) and timezone.now() < self.expires_at
