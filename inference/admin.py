from django.contrib import admin

from inference.models import Prediction
from jobs.admin import BigTableAdmin


@admin.register(Prediction)
class PredictionAdmin(BigTableAdmin):
    list_display = ["sample", "model", "numeric_mode", "created_at"]
    list_filter = ["model", "numeric_mode"]
    list_select_related = ["sample"]
