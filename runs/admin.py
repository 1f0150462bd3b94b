from django.contrib import admin

from runs.models import Chunk, Problem, Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):
    list_display = ["id", "kind", "job", "state", "total", "done", "created_by", "created_at"]
    list_filter = ["kind", "state"]
    list_select_related = ["job", "created_by"]
    raw_id_fields = ["job", "created_by"]


@admin.register(Chunk)
class ChunkAdmin(admin.ModelAdmin):
    list_display = ["run", "number", "size", "state", "worker", "attempt", "lease_until"]
    list_filter = ["state"]
    list_select_related = ["run"]
    raw_id_fields = ["run"]


@admin.register(Problem)
class ProblemAdmin(admin.ModelAdmin):
    list_display = ["run", "item", "code"]
    list_filter = ["code"]
    list_select_related = ["run"]
    raw_id_fields = ["run"]
