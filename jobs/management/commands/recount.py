"""Compares the stored counters of every job with its rows."""

import sys

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from jobs import counters
from jobs.models import Job


class Command(BaseCommand):
    help = "Counts every job anew and reports where a stored counter differs (exit code 1)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="correct what differs")

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        drifted = sum(self._check(job, options["repair"]) for job in Job.objects.order_by("pk"))
        jobs = Job.objects.count()
        if not drifted:
            self.stdout.write(f"The counters of {jobs} jobs are right.")
        elif options["repair"]:
            self.stdout.write(f"{drifted} counters were corrected.")
        else:
            self.stdout.write(f"{drifted} counters are wrong; `recount --repair` corrects them.")
            sys.exit(1)

    @transaction.atomic
    def _check(self, job: Job, repair: bool) -> int:
        """The number of counters of the job that differ, each of them shown."""
        # Whoever changes samples of the job adds to its counters: with these held, none moves.
        list(job.counters.order_by("key").select_for_update())
        drift = counters.drift(job)
        stored = counters.read(job)
        for key, missing in sorted(drift.items()):
            was = stored.get(key, 0)
            self.stdout.write(f"Job {job.pk}, {key}: stored {was}, counted {was + missing}")
        if repair:
            counters.add(job, drift)
        return len(drift)
