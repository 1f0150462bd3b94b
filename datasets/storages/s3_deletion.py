"""Deletes objects a batch at a time, with an answer for each."""

import re
import time
from collections.abc import Sequence

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from datasets.storages import DeleteResult, StorageError
from datasets.storages.checkup import Step
from datasets.storages.s3_errors import answer_problem, explained

# What stands in no XML document, and what readers of XML change.
_NOT_IN_XML = re.compile(r"[\x00-\x1f\ufffe\uffff]")
_ONE_BY_ONE = frozenset({"NotImplemented", "MethodNotAllowed", "MalformedXML"})
# Not an answer about the object but a weakness of the moment.
_TRANSIENT = frozenset({"storage-busy", "storage-broken", "storage-timeout"})
_ROUNDS = 3
_FIRST_PAUSE = 0.5  # seconds, doubled each time


def delete_batch(client: BaseClient, bucket: str, keys: Sequence[str]) -> dict[str, DeleteResult]:
    """The result for each of at most 1,000 keys. What the store puts off is asked again."""
    results: dict[str, DeleteResult] = {}
    waiting = list(dict.fromkeys(keys))
    for round_ in range(_ROUNDS):
        if round_:
            time.sleep(_FIRST_PAUSE * 2 ** (round_ - 1))
        found = _attempt(client, bucket, waiting)
        results |= found
        waiting = [key for key in waiting if found[key].problem in _TRANSIENT]
        # All of them: the request as a whole failed, after the library had tried it again.
        if not waiting or len(waiting) == len(found) > 1:
            break
    return results


def _attempt(client: BaseClient, bucket: str, keys: Sequence[str]) -> dict[str, DeleteResult]:
    together = [key for key in keys if not _NOT_IN_XML.search(key)]
    results = _together(client, bucket, together) if together else {}
    for key in keys:
        if key not in results:
            results[key] = _alone(client, bucket, key)
    return results


def _together(client: BaseClient, bucket: str, keys: Sequence[str]) -> dict[str, DeleteResult]:
    """What the store says of each key; one that it does not mention is not in there."""
    asked = {"Objects": [{"Key": key} for key in keys], "Quiet": False}
    try:
        with explained(bucket, Step.DELETE):
            try:
                answer = client.delete_objects(Bucket=bucket, Delete=asked)
            except ClientError as error:
                if error.response["Error"].get("Code") in _ONE_BY_ONE:
                    return {}
                raise
    except StorageError as error:
        return {key: DeleteResult(key, error.code, error.params) for key in keys}
    results = {item["Key"]: DeleteResult(item["Key"]) for item in answer.get("Deleted", ())}
    for item in answer.get("Errors", ()):
        code, message = str(item.get("Code") or ""), str(item.get("Message") or "")
        problem, params = answer_problem(code, step=Step.DELETE, message=message)
        results[item["Key"]] = DeleteResult(
            item["Key"], "" if problem == "missing" else problem, params
        )
    asked_for = set(keys)
    return {key: result for key, result in results.items() if key in asked_for}


def _alone(client: BaseClient, bucket: str, key: str) -> DeleteResult:
    try:
        with explained(key, Step.DELETE):
            client.delete_object(Bucket=bucket, Key=key)
    except StorageError as error:
        return DeleteResult(key, "" if error.code == "missing" else error.code, error.params)
    return DeleteResult(key)
