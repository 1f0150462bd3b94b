"""Addresses of the storage pages."""

from django.urls import path

from datasets import views

urlpatterns = [
    path("storages/", views.storage_list, name="storage_list"),
    path("storages/new/", views.storage_new, name="storage_new"),
    path("storages/<int:storage_id>/", views.storage, name="storage"),
    path("storages/<int:storage_id>/check/", views.storage_check, name="storage_check"),
    path("storages/<int:storage_id>/keys/", views.storage_keys, name="storage_keys"),
    path("storages/<int:storage_id>/delete/", views.storage_delete, name="storage_delete"),
]
