from importlib import import_module

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "datasets"

    def ready(self) -> None:
        # Makes what is done regularly known to the clock.
        import_module("datasets.unfinished")
