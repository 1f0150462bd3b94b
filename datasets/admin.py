from django.contrib import admin

from datasets.models import Dataset, Image, Storage


@admin.register(Storage)
class StorageAdmin(admin.ModelAdmin):
    list_display = ["name", "kind", "root", "created_at"]
    search_fields = ["name", "root"]


@admin.register(Dataset)
class DatasetAdmin(admin.ModelAdmin):
    list_display = ["name", "storage", "prefix", "created_by", "created_at"]
    search_fields = ["name"]
    list_select_related = ["storage", "created_by"]
    raw_id_fields = ["created_by"]


@admin.register(Image)
class ImageAdmin(admin.ModelAdmin):
    list_display = ["path", "dataset", "format", "width", "height", "size", "added_at"]
    search_fields = ["path"]
    list_select_related = ["dataset"]
    raw_id_fields = ["dataset"]
    show_full_result_count = False

    def has_delete_permission(self, request, obj=None) -> bool:  # noqa: ARG002
        # Would take samples away behind the counters of their jobs.
        return False
