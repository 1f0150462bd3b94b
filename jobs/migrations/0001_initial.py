import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('datasets', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('mode', models.CharField(choices=[('single', 'One label per image'), ('multi', 'Several labels per image')], max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='datasets.dataset')),
            ],
            options={
                'verbose_name': 'job',
                'verbose_name_plural': 'jobs',
            },
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(choices=[('label', 'labeled'), ('accept', 'accepted suggestions'), ('undo', 'undid'), ('redo', 'redid')], max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('sample_count', models.PositiveIntegerField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('reverts', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reverted_by', to='jobs.change')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='jobs.job')),
            ],
            options={
                'verbose_name': 'change',
                'verbose_name_plural': 'changes',
            },
        ),
        migrations.CreateModel(
            name='Sample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=1024)),
                ('state', models.CharField(choices=[('unlabeled', 'Unlabeled'), ('labeled', 'Labeled')], default='unlabeled', max_length=12)),
                ('label_count', models.PositiveSmallIntegerField(default=0)),
                ('last_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=0)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='samples', to='datasets.image')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='samples', to='jobs.job')),
                ('last_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('last_change', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.change')),
            ],
            options={
                'verbose_name': 'sample',
                'verbose_name_plural': 'samples',
            },
        ),
        migrations.CreateModel(
            name='ChangeItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added', models.JSONField(default=list)),
                ('removed', models.JSONField(default=list)),
                ('before', models.JSONField()),
                ('after', models.BigIntegerField(null=True)),
                ('change', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='jobs.change')),
                ('sample', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='history', to='jobs.sample')),
            ],
            options={
                'verbose_name': 'change of a sample',
                'verbose_name_plural': 'changes of samples',
            },
        ),
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=40)),
                ('value', models.BigIntegerField(default=0)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='counters', to='jobs.job')),
            ],
            options={
                'verbose_name': 'counter',
                'verbose_name_plural': 'counters',
                'constraints': [models.UniqueConstraint(fields=('job', 'key'), name='one_counter_per_key')],
            },
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(fields=['job', 'actor', '-id'], name='jobs_change_job_id_a50f7d_idx'),
        ),
        migrations.AddIndex(
            model_name='sample',
            index=models.Index(fields=['job', 'id'], name='jobs_sample_job_id_f4730d_idx'),
        ),
        migrations.AddIndex(
            model_name='sample',
            index=models.Index(fields=['job', 'state', 'id'], name='jobs_sample_job_id_1f488e_idx'),
        ),
        migrations.AddIndex(
            model_name='sample',
            index=models.Index(fields=['job', 'last_by', 'id'], name='jobs_sample_job_id_2adb96_idx'),
        ),
        migrations.AddConstraint(
            model_name='sample',
            constraint=models.UniqueConstraint(fields=('job', 'image'), name='one_sample_per_image'),
        ),
        migrations.AddConstraint(
            model_name='sample',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'labeled'), ('label_count', 0), _connector='OR'), name='labels_only_when_labeled'),
        ),
    ]
