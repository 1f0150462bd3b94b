"""Addresses of the filter panel and of saved views."""

from django.urls import path

from jobs.finding import pages

urlpatterns = [
    path("jobs/<int:job_id>/filters/", pages.filters, name="filters"),
    path("jobs/<int:job_id>/filters/labels/", pages.filter_labels, name="filter_labels"),
    path("jobs/<int:job_id>/views/", pages.views, name="views"),
    path("jobs/<int:job_id>/views/<int:view_id>/", pages.view, name="view"),
]
