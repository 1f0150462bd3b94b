"""Encrypts the keys of storages anew; see datasets/secrets.py."""

from django.core.management.base import BaseCommand, CommandError

from datasets import services


class Command(BaseCommand):
    help = (
        "Encrypts the access keys of all storages with the first of LABELHUB_ENCRYPTION_KEYS, so "
        "that older ones can be taken out of that list."
    )

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        changed, lost = services.rotate_encryption()
        self.stdout.write(f"The keys of {changed} storages were encrypted anew.")
        if lost:
            named = ", ".join(f"{storage.pk} ({storage.name})" for storage in lost)
            raise CommandError(
                f"No key that is given opens those of these storages: {named}. Give the former "
                "one, or enter their keys once more."
            )
