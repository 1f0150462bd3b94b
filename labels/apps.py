from importlib import import_module

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "labels"

    def ready(self) -> None:
        # Makes the kinds of runs and what is done regularly known to the engine, and to bulk edits
        # what they can do.
        for name in ("annotate", "hard", "imports", "labelset.runs", "repeats", "trash", "undo"):
            import_module(f"labels.{name}")
