from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        # Makes the kinds of runs, and what is done regularly, known to the engine.
        import_module("jobs.examinations")
        import_module("jobs.exports")
        import_module("jobs.schedules")
        import_module("jobs.deletions")
        import_module("jobs.leftovers")
        post_migrate.connect(import_module("jobs.text_index").restore, sender=self)
