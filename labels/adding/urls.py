"""Addresses of the pages of adding data."""

from django.urls import path

from labels.adding import views

urlpatterns = [
    path("jobs/<int:job_id>/add/", views.add, name="add_data"),
    path("jobs/<int:job_id>/folders/", views.job_folders, name="job_folders"),
    path("jobs/<int:job_id>/synchronize/", views.synchronize, name="synchronize"),
    path("jobs/<int:job_id>/imports/", views.import_list, name="import_list"),
    path("jobs/<int:job_id>/runs/<int:run_id>/report.csv", views.run_report, name="run_report"),
]
