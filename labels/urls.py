"""Addresses of pages about a selection, and about what people did to samples."""

from django.urls import path

from labels import views

urlpatterns = [
    path("jobs/<int:job_id>/selected/", views.selected, name="selected"),
    path("jobs/<int:job_id>/trash/", views.trash, name="trash"),
    path("jobs/<int:job_id>/deletion/", views.deletion, name="deletion"),
    path("jobs/<int:job_id>/history/", views.history, name="history"),
    path(
        "jobs/<int:job_id>/history/<int:change_id>/undo/", views.history_undo, name="history_undo"
    ),
    path(
        "jobs/<int:job_id>/samples/<int:sample_id>/history/",
        views.sample_history,
        name="sample_history",
    ),
]
