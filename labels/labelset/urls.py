"""Addresses of the pages of labels."""

from django.urls import path

from labels.labelset import pages

urlpatterns = [
    path("jobs/<int:job_id>/labelset/", pages.labelset, name="labelset"),
    path("jobs/<int:job_id>/labelset/run/", pages.labelset_run, name="labelset_run"),
    path("jobs/<int:job_id>/labelset/add/", pages.labelset_add, name="labelset_add"),
    path("jobs/<int:job_id>/labelset/preview/", pages.labelset_preview, name="labelset_preview"),
    path("jobs/<int:job_id>/labelset/sort/", pages.labelset_sort, name="labelset_sort"),
    path("jobs/<int:job_id>/labelset/merge/", pages.labelset_merge, name="labelset_merge"),
    path("jobs/<int:job_id>/labelset/delete/", pages.labelset_delete, name="labelset_delete"),
    path("jobs/<int:job_id>/labelset/undo/", pages.labelset_undo, name="labelset_undo"),
    path("jobs/<int:job_id>/labelset/<int:label_id>/", pages.labelset_edit, name="labelset_edit"),
    path(
        "jobs/<int:job_id>/labelset/<int:label_id>/move/",
        pages.labelset_move,
        name="labelset_move",
    ),
]
