"""The sample job: something to label in the first minute after set-up."""

from pathlib import Path

from django.conf import settings

from annotators.models import User
from datasets import sample_pictures
from jobs.models import Job, Mode

NAME = "Sample: fruit and toys"
LABELS = ("apple", "pear", "bear", "red", "yellow", "blue")
MODE = Mode.MULTI


def folder() -> Path:
    return settings.DATA_DIR / "sample"


def is_wanted() -> bool:
    """On an installation that nobody has used yet; one that was deleted does not come back."""
    return not User.objects.exists() and not Job.objects.exists()


def prepare_pictures() -> str:
    """Gets the pictures ready and says where they came from."""
    return sample_pictures.prepare(folder())
