from importlib import import_module

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        # Makes its kinds of runs, and what is done regularly, known to the engine.
        import_module("datasets.thumbnail_runs")
        import_module("datasets.unfinished")
