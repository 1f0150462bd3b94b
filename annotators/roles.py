"""Who may do what: the one table from role to abilities. Pages, API and live messages ask it."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    REVIEWER = "reviewer"
    LABELER = "labeler"


class Ability(StrEnum):
    VIEW = "view"
    LABEL = "label"
    PREDICT = "predict"
    CREATE_LABEL = "create_label"
    MANAGE_LABELS = "manage_labels"
    UNDO_OTHERS = "undo_others"
    ADD_DATA = "add_data"
    DELETE_IMAGES = "delete_images"
    DELETE_FILES = "delete_files"
    EDIT_JOB = "edit_job"
    EXPORT = "export"
    SEE_MEMBERS = "see_members"
    MANAGE_MEMBERS = "manage_members"
    DELETE_JOB = "delete_job"


ROLE_NAMES = {
    Role.OWNER: pgettext_lazy("role", "Owner"),
    Role.MANAGER: pgettext_lazy("role", "Manager"),
    Role.REVIEWER: pgettext_lazy("role", "Reviewer"),
    Role.LABELER: pgettext_lazy("role", "Labeler"),
}
ROLE_MEANINGS = {
    Role.OWNER: _("Everything, and deletes the job"),
    Role.MANAGER: _("Adds data, labels and people, exports"),
    Role.REVIEWER: _("Labels, adds labels and sees who works here"),
    Role.LABELER: _("Labels images and asks for suggestions"),
}
DENIALS = {
    Ability.VIEW: _("You are not a member of this job."),
    Ability.LABEL: _("Your role in this job does not label images."),
    Ability.PREDICT: _("Your role in this job does not ask for suggestions."),
    Ability.CREATE_LABEL: _("New labels are added by reviewers, managers and the owner."),
    Ability.MANAGE_LABELS: _("Labels are changed by managers and the owner."),
    Ability.UNDO_OTHERS: _("What others did is undone by managers and the owner."),
    Ability.ADD_DATA: _("Images are added by managers and the owner."),
    Ability.DELETE_IMAGES: _("Images are deleted by managers and the owner."),
    Ability.DELETE_FILES: _("Source files are deleted by the owner alone."),
    Ability.EDIT_JOB: _("The job is changed by managers and the owner."),
    Ability.EXPORT: _("Exports are made by managers and the owner."),
    Ability.SEE_MEMBERS: _("Members are shown to reviewers, managers and the owner."),
    Ability.MANAGE_MEMBERS: _("People are invited by managers and the owner."),
    Ability.DELETE_JOB: _("Only the owner deletes a job."),
}

_LABELER = {Ability.VIEW, Ability.LABEL, Ability.PREDICT}
_REVIEWER = _LABELER | {Ability.CREATE_LABEL, Ability.SEE_MEMBERS}
_MANAGER = _REVIEWER | {
    Ability.MANAGE_LABELS,
    Ability.UNDO_OTHERS,
    Ability.ADD_DATA,
    Ability.DELETE_IMAGES,
    Ability.EDIT_JOB,
    Ability.EXPORT,
    Ability.MANAGE_MEMBERS,
}
_OWNER = _MANAGER | {Ability.DELETE_FILES, Ability.DELETE_JOB}

ABILITIES: dict[Role, frozenset[Ability]] = {
    Role.OWNER: frozenset(_OWNER),
    Role.MANAGER: frozenset(_MANAGER),
    Role.REVIEWER: frozenset(_REVIEWER),
    Role.LABELER: frozenset(_LABELER),
}
# Nobody is invited as owner: a job has one, from its creation.
INVITABLE = (Role.MANAGER, Role.REVIEWER, Role.LABELER)
ROLE_CHOICES = [(role.value, ROLE_NAMES[role]) for role in Role]
INVITABLE_CHOICES = [(role.value, ROLE_NAMES[role]) for role in INVITABLE]


def can(role: str, ability: Ability) -> bool:
    return ability in ABILITIES[Role(role)]
