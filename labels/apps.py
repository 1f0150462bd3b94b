from importlib import import_module

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "labels"

    def ready(self) -> None:
        # Makes the kinds of runs known to the engine, and to bulk edits what they can do.
        import_module("labels.imports")
        import_module("labels.annotate")
        import_module("labels.hard")
        import_module("labels.trash")
        import_module("labels.undo")
