"""Addresses of the settings of a job and of its labeling description."""

from django.urls import path

from jobs.description import pages

urlpatterns = [
    path("jobs/<int:job_id>/settings/", pages.job_settings, name="job_settings"),
    path(
        "jobs/<int:job_id>/settings/preview/", pages.description_preview, name="description_preview"
    ),
    path("jobs/<int:job_id>/description/", pages.description, name="description"),
    path("jobs/<int:job_id>/description/seen/", pages.description_seen, name="description_seen"),
    path(
        "jobs/<int:job_id>/description/pictures/",
        pages.description_pictures,
        name="description_pictures",
    ),
    path(
        "jobs/<int:job_id>/description/pictures/<str:name>/",
        pages.description_picture,
        name="description_picture",
    ),
]
