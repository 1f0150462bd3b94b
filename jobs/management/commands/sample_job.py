"""Makes the sample job, or only fetches its pictures."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotators.models import User
from datasets import sample_pictures
from datasets.sources import FolderSource
from jobs import sample
from labels.services import create_job_with_labels


class Command(BaseCommand):
    help = "Makes the sample job, for the first owner or for the one that is named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", metavar="EMAIL", help="the user who gets the job")
        parser.add_argument(
            "--pictures",
            action="store_true",
            help="only fetch the pictures with known answers, and fail where that cannot be done",
        )

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        if options["pictures"]:
            self._fetch_pictures()
            return
        owner = self._owner(options["owner"])
        source = sample.prepare_pictures()
        create_job_with_labels(
            name=sample.NAME,
            mode=sample.MODE,
            source=FolderSource(str(sample.folder())),
            labels=sample.LABELS,
            by=owner,
        )
        self.stdout.write(f"{sample.NAME} is there (pictures: {source}).")

    def _owner(self, email: str | None) -> User | None:
        if email is None:
            if not sample.is_wanted():
                raise CommandError("LabelHub is in use: name who gets the job, with --owner EMAIL")
            return None
        try:
            return User.objects.get_by_natural_key(email)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user {email}") from error

    def _fetch_pictures(self) -> None:
        try:
            sample_pictures.fetch(sample.folder())
        except sample_pictures.PicturesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The pictures are in {sample.folder()}")
