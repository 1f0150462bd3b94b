from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        # Makes the kinds of runs known to the engine.
        import_module("jobs.imports")
        import_module("jobs.exports")
        post_migrate.connect(import_module("jobs.text_index").restore, sender=self)
