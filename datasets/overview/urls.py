"""Addresses of the dataset pages."""

from django.urls import path

from datasets.overview import views

urlpatterns = [
    path("datasets/", views.dataset_list, name="dataset_list"),
    path("datasets/<int:dataset_id>/", views.dataset, name="dataset"),
    path(
        "datasets/<int:dataset_id>/synchronize/",
        views.dataset_synchronize,
        name="dataset_synchronize",
    ),
    path("datasets/<int:dataset_id>/schedule/", views.dataset_schedule, name="dataset_schedule"),
    path("datasets/<int:dataset_id>/images/", views.dataset_images, name="dataset_images"),
    path("datasets/<int:dataset_id>/missing/", views.dataset_missing, name="dataset_missing"),
    path("datasets/<int:dataset_id>/runs/", views.dataset_runs, name="dataset_runs"),
    path("datasets/<int:dataset_id>/runs/<int:run_id>/", views.dataset_run, name="dataset_run"),
    path(
        "datasets/<int:dataset_id>/runs/<int:run_id>/report.csv",
        views.dataset_run_report,
        name="dataset_run_report",
    ),
]
