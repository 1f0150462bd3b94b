from importlib import import_module

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "labels"

    def ready(self) -> None:
        # Makes the kinds of runs known to the engine.
        import_module("labels.imports")
        import_module("labels.labelset.runs")
