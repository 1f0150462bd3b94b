import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('jobs', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Prediction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=100)),
                ('numeric_mode', models.CharField(max_length=20)),
                ('labels', models.JSONField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sample', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='predictions', to='jobs.sample')),
            ],
            options={
                'verbose_name': 'prediction',
                'verbose_name_plural': 'predictions',
                'constraints': [models.UniqueConstraint(fields=('sample', 'model'), name='one_prediction_a_model')],
            },
        ),
    ]
