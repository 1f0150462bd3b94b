"""The small model that stands in for the real one where nothing may be downloaded."""

import pytest

from inference.server import folder
from tests.inference.model_server import DIGITS, DIGITS_DIR

pytestmark = pytest.mark.service


def test_served_accuracy_on_digits_it_was_not_trained_on(digits_server, held_out):
    found = []
    for start in range(0, len(held_out), 60):
        batch = held_out[start : start + 60]
        results = digits_server.classify_batch([image for image, _ in batch]).json()["results"]
        found += [result["labels"][0]["label_name"] for result in results]

    right = sum(name == value for name, (_, value) in zip(found, held_out, strict=True))

    assert len(found) == 360
    assert right / len(found) >= 0.95  # 0.975 when it was trained


def test_its_files_are_small_and_as_described():
    path = DIGITS_DIR / DIGITS

    folder.verify(path, folder.read(path))

    assert max(file.stat().st_size for file in path.iterdir()) < 700_000
