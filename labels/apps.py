from importlib import import_module

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "labels"

    def ready(self) -> None:
        # Makes what happens from time to time known to the clock.
        import_module("labels.trash")
