from importlib import import_module

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "labels"

    def ready(self) -> None:
        # Makes the kinds of runs, and what is done regularly, known to the engine.
        import_module("labels.imports")
        import_module("labels.repeats")
        import_module("labels.trash")
