from importlib import import_module

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        # Makes known to bulk edits and to undo what they can do.
        import_module("inference.decisions")
