from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from datasets.models import Dataset, Image, Storage


@admin.register(Storage)
class StorageAdmin(admin.ModelAdmin):
    """Storages are connected on their own pages, which check where they lead and keep the keys at
    the place that they were entered for. Here they get another name or owner."""

    list_display = ["name", "kind", "place", "owner", "can_write", "can_delete", "checked_at"]
    list_filter = ["kind", "can_write"]
    list_select_related = ["owner"]
    search_fields = ["name", "root", "bucket", "endpoint", "owner__email"]
    fields = [
        "name",
        "owner",
        "kind",
        "place",
        "endpoint",
        "region",
        "addressing",
        "presigns",
        "can_write",
        "can_delete",
        "checked_at",
        "created_at",
    ]
    readonly_fields = [name for name in fields if name not in ("name", "owner")]
    raw_id_fields = ["owner"]

    @admin.display(description=_("place"))
    def place(self, storage: Storage) -> str:
        return storage.location

    def has_add_permission(self, request) -> bool:  # noqa: ARG002
        return False


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
