"""What stores answer, as the problems that people can do something about."""

import errno
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from datasets.storages import Denied, Missing, StorageError, Unreadable
from datasets.storages.checkup import Step

_DENIED = {step: f"{step}-denied" for step in Step}
# Codes of Amazon's S3, of Ceph and of OBS.
_PROBLEMS = {
    "NoSuchKey": "missing",
    "NoSuchBucket": "bucket-missing",
    "NoSuchTenant": "bucket-missing",
    "InvalidBucketName": "bucket-name-invalid",
    "InvalidAccessKeyId": "wrong-access-key",
    "SignatureDoesNotMatch": "wrong-secret-key",
    "ExpiredToken": "expired-credentials",
    "InvalidToken": "expired-credentials",
    "InvalidSecurityToken": "expired-credentials",
    "TokenRefreshRequired": "expired-credentials",
    "RequestTimeTooSkewed": "clock-skew",
    "RequestExpired": "clock-skew",
    "PermanentRedirect": "wrong-region",
    "TemporaryRedirect": "wrong-region",
    "AuthorizationHeaderMalformed": "wrong-region",
    "IllegalLocationConstraintException": "wrong-region",
    "InvalidRegion": "wrong-region",
    "VirtualHostDomainRequired": "virtual-addressing-needed",
    "SlowDown": "storage-busy",
    "ServiceUnavailable": "storage-busy",
    "Throttling": "storage-busy",
    "ThrottlingException": "storage-busy",
    "RequestLimitExceeded": "storage-busy",
    "TooManyRequests": "storage-busy",
    "503": "storage-busy",
    "429": "storage-busy",
    "RequestTimeout": "storage-timeout",
    "504": "storage-timeout",
    "QuotaExceeded": "quota-exceeded",
    "InsufficientStorageSpace": "quota-exceeded",
    "507": "quota-exceeded",
    "InvalidObjectState": "object-archived",
    "KeyTooLongError": "name-too-long",
    "InternalError": "storage-broken",
}
_REFUSED = frozenset(
    {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "Unauthorized"}
    | {"401", "403", "NotSignedUp", "AccessForbidden", "InvalidPayer", "UnauthorizedAccess"}
)
# Asked of a whole bucket, these say that what answers has no buckets.
_NO_S3 = frozenset({"400", "404", "405", "406", "411", "421", "501"})
_TLS_NOT_SPOKEN = re.compile(r"WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|RECORD_LAYER_FAILURE", re.I)


@contextmanager
def explained(item: str, step: Step) -> Iterator[None]:
    """Turns whatever the library raises into a StorageError about `item`."""
    try:
        yield
    except ClientError as error:
        raise _answered(error, item=item, step=step) from error
    except (BotoCoreError, OSError) as error:
        raise _failed(error, item=item) from error


def answer_problem(code: str, *, step: Step, message: str = "") -> tuple[str, dict[str, object]]:
    """The problem for a code of S3, with its parameters."""
    if code in _REFUSED:
        return _DENIED[step], {}
    if problem := _PROBLEMS.get(code):
        return problem, {"reason": code}
    if code in _NO_S3 and step == Step.LIST:
        return "not-s3", {}
    if re.fullmatch(r"3\d\d", code):
        return "endpoint-redirects", {}
    if re.fullmatch(r"5\d\d", code):
        return "storage-broken", {"reason": code}
    return "storage-failed", {"reason": f"{code} {message}".strip()[:200]}


def _answered(error: ClientError, *, item: str, step: Step) -> StorageError:
    found = error.response.get("Error", {})
    code = str(found.get("Code") or _status(error.response))
    if code == "404" and step != Step.LIST:
        return Missing(item)
    problem, params = answer_problem(code, step=step, message=str(found.get("Message") or ""))
    if problem == "wrong-region" and (region := _region(error.response)):
        problem, params = "wrong-region-named", {"region": region}
    if problem == "missing":
        return Missing(item)
    if problem in (_DENIED[Step.WRITE], _DENIED[Step.DELETE]):
        return Denied(item, code=problem)
    if problem in (_DENIED[Step.LIST], _DENIED[Step.READ]):
        return Unreadable(item, code=problem)
    return StorageError(item, code=problem, **params)


def _status(response: Mapping) -> int:
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _region(response: Mapping) -> str:
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    named = headers.get("x-amz-bucket-region") or response.get("Error", {}).get("Region") or ""
    # It is shown to people: no more than a name.
    return named if re.fullmatch(r"[a-z0-9-]{1,40}", named) else ""


def _failed(error: BotoCoreError | OSError, *, item: str) -> StorageError:
    if (ours := _first(error, StorageError)) is not None:
        return ours
    host = urlsplit(str(getattr(error, "kwargs", {}).get("endpoint_url") or "")).hostname or item
    match error:
        case SSLError():
            spoken = not _TLS_NOT_SPOKEN.search(str(error))
            return StorageError(host, code="tls-failed" if spoken else "tls-not-spoken")
        case ReadTimeoutError():
            return StorageError(item, code="storage-timeout")
        case ConnectTimeoutError():
            return StorageError(host, code="endpoint-unreachable")
        case EndpointConnectionError():
            unknown = _first(error, socket.gaierror) is not None
            return StorageError(
                host, code="endpoint-unknown" if unknown else "endpoint-unreachable"
            )
        case ConnectionClosedError() | ResponseStreamingError() | IncompleteReadError():
            return StorageError(item, code="connection-lost")
        case ResponseParserError():
            return StorageError(item, code="not-s3")
        case CredentialRetrievalError() | PartialCredentialsError() | NoAuthTokenError():
            return StorageError(item, code="no-credentials")
        case NoCredentialsError():
            return StorageError(item, code="no-credentials")
        case ParamValidationError():
            return StorageError(item, code="bucket-name-invalid")
        case HTTPClientError():
            return StorageError(item, code="connection-lost")
        case OSError() if error.errno == errno.ENOENT:
            # The only file it opens is that of the certificates.
            return StorageError(item, code="tls-failed")
    return StorageError(item, code="storage-failed", reason=type(error).__name__)


def _first(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first error of a kind among those that led to this one."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, kind):
            return found
        if found not in seen:
            seen.append(found)
            inner = getattr(found, "kwargs", {}).get("error")
            around = (found.__cause__, found.__context__, inner)
            waiting += [one for one in around if isinstance(one, BaseException)]
    return None
