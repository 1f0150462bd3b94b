"""A large job, made in the database by SQL: the same rows on every machine and both databases.

Of the samples 60 % are labeled, by ten people over 90 days, with 50 labels of very different size
and 1.3 labels an image; 80 % have a prediction, 85 % of them right. Images lie in 20 folders of 50
folders each, in the order of their ids, as an import makes them: so labeling time and folder go
with the id, labels and marks do not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

LABELS = 50
PEOPLE = 10
DAYS = 90
# What the days of labeling are counted back from: filters such as "7d" are measured with it.
NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
# Odd factors of one attribute each: as random as it needs to be, the same in every database.
FACTORS = {
    "state": 2654435761,
    "label": 2246822519,
    "second": 3266489917,
    "both": 2246822507,
    "person": 668265263,
    "hour": 374761393,
    "hard": 2869860233,
    "split": 3624381081,
    "scored": 1181783497,
    "score": 2971215073,
    "right": 1597334677,
    "trash": 3812015801,
    "problem": 951274213,
    "name": 3432918353,
}


def mixed(name: str, most: int, n: str = "n.id") -> str:
    """SQL: a number from 0 to `most` - 1, of row `n`."""
    x = f"(CAST({n} AS bigint) * {FACTORS[name]} % 4294967296)"
    return f"({x} / 1024 * ({x} % 65521 + 1) % 2147483647 % {most})"


def skewed(name: str, n: str = "n.id") -> str:
    """SQL: the place of a label, the first of them 40 times as often as the last."""
    u = mixed(name, 1000, n)
    return f"({LABELS} * {u} * {u} * {u} / 1000000000)"


@dataclass(frozen=True)
class Made:
    job_id: int
    user_id: int
    number: int


def make(number: int, name: str = "bench") -> Made:
    """A job of that many images; made once in a database."""
    from annotators.models import User
    from jobs.models import Job

    user, _new = User.objects.get_or_create(email="bench@example.org", defaults={"name": "Bench"})
    found = Job.objects.filter(name=f"{name}-{number}").first()
    if found is None:
        found = _make(number, f"{name}-{number}", user)
    return Made(found.pk, user.pk, number)


def _make(number: int, name: str, user):
    from django.db import connection, transaction

    from annotators.models import Member, User
    from datasets.models import Dataset, Image, Storage
    from jobs import counters
    from jobs.models import Job, Sample
    from labels.services import create_labels

    with transaction.atomic():
        storage, _new = Storage.objects.get_or_create(name="bench", root="/nowhere")
        dataset = Dataset.objects.create(name=name, storage=storage)
        job = Job.objects.create(name=name, dataset=dataset, mode="multi")
        labels = create_labels(job, [f"label-{at:02d}" for at in range(LABELS)])
        people = [user] + [
            User.objects.get_or_create(email=f"p{at}@example.org", defaults={"name": f"P{at}"})[0]
            for at in range(1, PEOPLE)
        ]
        for at, person in enumerate(people):
            Member.objects.create(job=job, user=person, role="labeler" if at else "owner")
        last = Image.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        place = {
            "job": job.pk,
            "dataset": dataset.pk,
            "number": number,
            "image": last,
            "sample": Sample.everything.order_by("-pk").values_list("pk", flat=True).first() or 0,
            "label": labels[0].pk,
            "person": people[0].pk,
            "others": people[1].pk - 1,
        }
        with connection.cursor() as cursor:
            for statement in statements(place, connection.vendor):
                cursor.execute(statement)
        counters.add(job, counters.count(job))
    _settle(connection)
    return job


def _settle(connection) -> None:
    """Numbers go on behind the rows that were made; PostgreSQL gets to know them."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        for table in ("jobs_sample", "datasets_image"):
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            cursor.execute(f"SELECT setval({sequence}, max(id)) FROM {table}")
        cursor.execute("VACUUM ANALYZE")


@dataclass(frozen=True)
class Columns:
    """SQL for the columns of row `n`, where the rows are numbered from 1."""

    place: dict[str, int]
    is_postgres: bool

    @property
    def numbers(self) -> str:
        number = self.place["number"]
        if self.is_postgres:
            return f"generate_series(1, {number}) AS n(id)"
        return (
            "(WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n "
            f"WHERE id < {number}) SELECT id FROM n) AS n"
        )

    def time(self, seconds: str) -> str:
        """So many seconds before NOW, as the database keeps times."""
        if self.is_postgres:
            return f"(TIMESTAMPTZ '{NOW.isoformat()}' - ({seconds}) * INTERVAL '1 second')"
        return f"datetime({int(NOW.timestamp())} - ({seconds}), 'unixepoch')"

    def truth(self, condition: str) -> str:
        yes, no = ("TRUE", "FALSE") if self.is_postgres else ("1", "0")
        return f"CASE WHEN {condition} THEN {yes} ELSE {no} END"

    @property
    def path(self) -> str:
        number = self.place["number"]
        folder = padded(f"((n.id - 1) * 20 / {number})", 2)
        inner = padded(f"((n.id - 1) * 1000 / {number} % 50)", 2)
        kind = mixed("name", 50)
        word = f"CASE {kind} WHEN 0 THEN 'night_' WHEN 1 THEN 'Rain-' ELSE 'IMG_' END"
        end = padded(mixed("name", 10000), 4)
        return (
            f"'batch-' || {folder} || '/site-' || {inner} || '/' || {word} || "
            f"{padded('n.id', 7)} || '_' || {end} || '.jpg'"
        )

    labeled = f"{mixed('state', 1000)} < 600"
    scored = f"{mixed('scored', 1000)} < 800"
    second = f"{mixed('both', 1000)} < 330 AND {skewed('second')} <> {skewed('label')}"
    score = f"(1.0 - {mixed('score', 1000)} * {mixed('score', 1000)} * 0.00000095)"

    @property
    def state(self) -> str:
        to_confirm = f"{mixed('state', 1000)} < 620"
        return (
            f"CASE WHEN {self.labeled} THEN 'labeled' WHEN {to_confirm} THEN 'to_confirm' "
            "ELSE 'unlabeled' END"
        )

    @property
    def person(self) -> str:
        first, number = self.place["person"], mixed("person", PEOPLE)
        return f"CASE {number} WHEN 0 THEN {first} ELSE {self.place['others']} + {number} END"

    @property
    def labeled_at(self) -> str:
        """From 90 days ago to now along the ids, a day up or down."""
        passed = f"CAST(n.id AS bigint) * {DAYS - 2} / {self.place['number']}"
        return self.time(f"86400 * ({DAYS} - {passed}) - {mixed('hour', 86400)}")

    @property
    def added_at(self) -> str:
        return self.time(f"86400 * (100 - (n.id - 1) * 5 / {self.place['number']} * 20)")

    @property
    def top_name(self) -> str:
        right, name = mixed("right", 100), "'label-' || " + padded("%s", 2)
        return (
            f"CASE WHEN {right} < 85 THEN {name % skewed('label')} "
            f"WHEN {right} < 90 THEN 'tabby_cat' ELSE {name % skewed('right')} END"
        )

    @property
    def split(self) -> str:
        number = mixed("split", 10)
        return (
            f"CASE WHEN {number} < 5 THEN 'train' WHEN {number} = 5 THEN 'val' "
            f"WHEN {number} = 6 THEN 'test' ELSE '' END"
        )


def padded(value: str, digits: int) -> str:
    """SQL: the number with zeros in front."""
    return f"substr(CAST({10**digits} + {value} AS text), 2)"


def statements(place: dict[str, int], vendor: str) -> list[str]:
    """Rows of images, samples, annotations and predictions, in this order."""
    of = Columns(place, vendor == "postgresql")
    json = "jsonb" if of.is_postgres else "text"
    predicted = f"""'[["' || ({of.top_name}) || '", ' || {of.score} || ']]'"""

    def insert(table: str, where: str = "", **columns: str) -> str:
        names, values = ", ".join(columns), ", ".join(columns.values())
        return f"INSERT INTO {table} ({names}) SELECT {values} FROM {of.numbers} {where}"

    def annotations(label: str, where: str) -> str:
        return insert(
            "labels_annotation",
            f"WHERE {of.labeled} AND {where}",
            origin="'human'",
            created_at=of.labeled_at,
            sample_id=f"{place['sample']} + n.id",
            user_id=of.person,
            label_id=f"{place['label']} + {skewed(label)}",
        )

    def where_labeled(value: str) -> str:
        return f"CASE WHEN {of.labeled} THEN {value} END"

    return [
        insert(
            "datasets_image",
            id=f"{place['image']} + n.id",
            path=of.path,
            size="100000",
            etag="'e' || n.id",
            modified_at=of.added_at,
            width="1920",
            height="1080",
            format="'JPEG'",
            added_at=of.added_at,
            dataset_id=str(place["dataset"]),
            content="''",
            is_examined=of.truth("TRUE"),
            is_settled=of.truth("FALSE"),
            is_plain=of.truth("TRUE"),
            is_refused=of.truth("FALSE"),
            missing_since=f"CASE {mixed('problem', 1000)} WHEN 1 THEN {of.time('86400')} END",
            problem=f"CASE {mixed('problem', 200)} WHEN 0 THEN 'wrong-extension' ELSE '' END",
            problem_params=f"CAST('{{}}' AS {json})",
        ),
        insert(
            "jobs_sample",
            id=f"{place['sample']} + n.id",
            path=of.path,
            state=of.state,
            label_count=f"CASE WHEN {of.labeled} AND {of.second} THEN 2 "
            f"WHEN {of.labeled} THEN 1 ELSE 0 END",
            last_at=where_labeled(of.labeled_at),
            version="1",
            image_id=f"{place['image']} + n.id",
            job_id=str(place["job"]),
            last_by_id=where_labeled(of.person),
            is_hard=of.truth(f"{mixed('hard', 100)} < 3"),
            split=of.split,
            top_name=f"CASE WHEN {of.scored} THEN {of.top_name} ELSE '' END",
            top_score=f"CASE WHEN {of.scored} THEN {of.score} END",
            added_at=of.added_at,
            trashed_at=f"CASE {mixed('trash', 100)} WHEN 0 THEN {of.time('86400')} END",
        ),
        annotations("label", "TRUE"),
        annotations("second", of.second),
        insert(
            "inference_prediction",
            f"WHERE {of.scored}",
            model="'PPLCNetV2'",
            numeric_mode="'fp32'",
            labels=f"CAST({predicted} AS {json})",
            rejected=f"CAST('[]' AS {json})",
            created_at=of.time("86400"),
            sample_id=f"{place['sample']} + n.id",
        ),
    ]
