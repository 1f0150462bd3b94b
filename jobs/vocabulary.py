"""What the words of a model mean in a job: its labels by their names, and by those they had before.

A label that is renamed is one row: predictions, and `top_name` of samples, keep the word that they
came with. Which label it means now is read from the changes of labels that stand.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django.core.cache import cache

from jobs.models import Change, Job, Verb

# Of former names the newest; nobody renames that many.
MOST_FORMER = 500
# Changes are many, and those of labels few among them: they are looked for once for each list of
# labels, and at times again.
SECONDS = 3_600


class Vocabulary:
    """`labels`: ids by name, for who has them already."""

    def __init__(self, job_id: int, labels: Mapping[str, int] | None = None) -> None:
        self.job_id = job_id
        if labels is not None:
            self.labels = labels

    @cached_property
    def labels(self) -> Mapping[str, int]:
        return dict(Job(pk=self.job_id).labels.values_list("name", "pk"))

    @cached_property
    def _names(self) -> dict[int, str]:
        return {pk: name for name, pk in self.labels.items()}

    @cached_property
    def former(self) -> dict[str, str]:
        """Words that were names of labels, each with the name that this label has now."""
        listed = json.dumps(sorted(self.labels.items())).encode()
        key = f"former-names:{self.job_id}:{hashlib.sha256(listed).hexdigest()}"
        found = cache.get(key)
        if found is None:
            found = self._find_former()
            cache.set(key, found, SECONDS)
        return found

    def label(self, word: str) -> int | None:
        if word in self.labels:
            return self.labels[word]
        name = self.former.get(word)
        return None if name is None else self.labels[name]

    def name(self, label: int) -> str:
        return self._names[label]

    def alike(self, word: str) -> tuple[str, ...]:
        """All words that mean the same as this one, itself among them."""
        label = self.label(word)
        if label is None:
            return (word,)
        name = self.name(label)
        return (name, *(other for other, now in self.former.items() if now == name))

    def _find_former(self) -> dict[str, str]:
        labels: dict[str, int] = {}
        merged: dict[int, int] = {}
        for params in _standing(self.job_id):
            if "target" in params:
                merged |= dict.fromkeys(params["labels"], params["target"])
                labels |= dict(zip(params["names"], params["labels"], strict=True))
            elif isinstance(params.get("after"), dict) and "name" in params["after"]:
                labels[params["before"]["name"]] = params["label"]
        now = {word: self._names.get(_last(label, merged)) for word, label in labels.items()}
        kept = [(word, name) for word, name in now.items() if name and word not in self.labels]
        return dict(kept[-MOST_FORMER:])


def _standing(job_id: int) -> Iterable[dict[str, Any]]:
    """What changes of labels did that nobody took back, the oldest first."""
    verbs = [Verb.EDIT_LABELS, Verb.MERGE_LABELS, Verb.REDO]
    changes = Change.objects.filter(job=job_id, verb__in=verbs, reverted_by=None).order_by("pk")
    return (params for params in changes.values_list("params", flat=True) if "does" in params)


def _last(label: int, merged: Mapping[int, int]) -> int:
    """What a label became by merges, one after the other."""
    seen = set()
    while label in merged and label not in seen:
        seen.add(label)
        label = merged[label]
    return label
