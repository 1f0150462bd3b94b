"""Addresses of pages about what people did to samples."""

from django.urls import path

from labels import views

urlpatterns = [
    path("jobs/<int:job_id>/trash/", views.trash, name="trash"),
    path("jobs/<int:job_id>/deletion/", views.deletion, name="deletion"),
]
