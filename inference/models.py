"""What the model said of a sample. Threshold and label mapping apply when it is shown or
accepted, not here."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import Sample


class Prediction(models.Model):
    # The key is the beginning of the constraint's index.
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="predictions", db_index=False)
    model = models.CharField(max_length=100)
    # Scores of different numeric modes do not compare: bf16 gives far higher ones.
    numeric_mode = models.CharField(max_length=20)
    # [[the model's own label name, score 0–1], …], best first.
    labels = models.JSONField()
    # Those of them that people rejected stand here instead, whatever the model says again.
    rejected = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        constraints = [
            models.UniqueConstraint(fields=["sample", "model"], name="one_prediction_a_model")
        ]

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.labels[0][0] if self.labels else '–'}"
