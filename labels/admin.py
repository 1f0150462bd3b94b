from django.contrib import admin

from jobs.admin import BigTableAdmin
from labels.models import Annotation, Label


@admin.register(Label)
class LabelAdmin(admin.ModelAdmin):
    list_display = ["name", "job", "colour", "position"]
    search_fields = ["name", "job__name"]
    list_select_related = ["job"]
    raw_id_fields = ["job"]

    def has_delete_permission(self, request, obj=None) -> bool:  # noqa: ARG002
        # Would take annotations away behind the counters and the history.
        return False


@admin.register(Annotation)
class AnnotationAdmin(BigTableAdmin):
    list_display = ["sample", "label", "user", "origin", "confidence", "created_at"]
    list_filter = ["origin"]
    list_select_related = ["sample", "label", "user"]
