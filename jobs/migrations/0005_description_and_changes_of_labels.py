from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0004_rejecting'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='instructions_changed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='change',
            name='verb',
            field=models.CharField(choices=[('label', 'labeled'), ('accept', 'accepted suggestions'), ('import', 'imported labels'), ('hard', 'marked as hard example'), ('not_hard', 'unmarked as hard example'), ('trash', 'deleted images'), ('restore', 'restored images'), ('delete_files', 'deleted source files'), ('merge_labels', 'merged labels'), ('delete_labels', 'deleted labels'), ('edit_labels', 'changed the list of labels'), ('undo', 'undid'), ('redo', 'redid')], max_length=20),
        ),
    ]
