from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0003_examination_runs'),
    ]

    operations = [
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(choices=[('import', 'Import'), ('sync', 'Synchronization'), ('examine', 'Examination of images'), ('thumbnails', 'Thumbnails'), ('delete', 'Deletion of files'), ('edit', 'Bulk edit'), ('labels', 'Change of labels'), ('export', 'Export')], max_length=20),
        ),
    ]
