from django.contrib import admin

from jobs.models import Change, ChangeItem, Counter, Job, Sample


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = ["name", "mode", "dataset", "created_at"]
    search_fields = ["name"]
    list_select_related = ["dataset"]
    raw_id_fields = ["dataset"]


@admin.register(Counter)
class CounterAdmin(admin.ModelAdmin):
    list_display = ["job", "key", "value"]
    list_select_related = ["job"]
    raw_id_fields = ["job"]


class BigTableAdmin(admin.ModelAdmin):
    """For tables of a million rows, written by the services alone: they keep the counters and the
    history right."""

    show_full_result_count = False

    def has_add_permission(self, request) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request, obj=None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request, obj=None) -> bool:  # noqa: ARG002
        return False


@admin.register(Sample)
class SampleAdmin(BigTableAdmin):
    list_display = ["path", "job", "state", "label_count", "last_by", "last_at"]
    list_filter = ["state"]
    search_fields = ["path"]
    list_select_related = ["job", "last_by"]


@admin.register(Change)
class ChangeAdmin(BigTableAdmin):
    list_display = ["id", "job", "actor", "verb", "sample_count", "created_at"]
    list_filter = ["verb"]
    list_select_related = ["job", "actor"]


@admin.register(ChangeItem)
class ChangeItemAdmin(BigTableAdmin):
    list_display = ["change", "sample", "added", "removed"]
    list_select_related = ["change", "sample"]
