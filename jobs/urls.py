"""Addresses of the job pages: views.py, and surfaces.py where one labels."""

from django.urls import path

from jobs import files, surfaces, views

urlpatterns = [
    path("", views.job_list, name="job_list"),
    path("jobs/new/", views.job_new, name="job_new"),
    path("jobs/new/labels/", views.label_preview, name="label_preview"),
    path("jobs/folders/", views.folders, name="folders"),
    path("jobs/storage-folders/", views.storage_folders, name="storage_folders"),
    # Short: a page has two hundred of them.
    path("t/<int:job_id>/<int:sample_id>/<slug:key>/", files.tile, name="tile"),
    path("keys/", surfaces.keys, name="keys"),
    path("states/", surfaces.state_dialogs, name="state_dialogs"),
    path("jobs/<int:job_id>/", surfaces.job, name="job"),
    path("jobs/<int:job_id>/tiles/", surfaces.tiles, name="tiles"),
    path("jobs/<int:job_id>/palette/", surfaces.palette, name="palette"),
    path("jobs/<int:job_id>/labels/", surfaces.label_list, name="label_list"),
    path("jobs/<int:job_id>/samples/<int:sample_id>/", surfaces.sample, name="sample"),
    path(
        "jobs/<int:job_id>/samples/<int:sample_id>/next-unlabeled/",
        surfaces.next_unlabeled,
        name="next_unlabeled",
    ),
    path(
        "jobs/<int:job_id>/samples/<int:sample_id>/<slug:size>/<slug:key>/",
        files.thumbnail,
        name="thumbnail",
    ),
    path("jobs/<int:job_id>/samples/<int:sample_id>/image/", files.image, name="image"),
    path("jobs/<int:job_id>/export/", views.export, name="export"),
    path("jobs/<int:job_id>/runs/<int:run_id>/", views.run, name="run"),
    path("jobs/<int:job_id>/runs/<int:run_id>/download/", files.download, name="download"),
]
