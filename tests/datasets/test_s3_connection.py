"""How a store is spoken to, and what people are told when it does not work."""

import logging
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest

from datasets.problems import codes
from datasets.secrets import Secret
from datasets.storages import Missing, StorageError, Unreadable
from datasets.storages.addresses import AddressRules, EndpointRefused
from datasets.storages.s3_connection import Addressing, Keys, S3Connection
from tests.datasets.s3_scripts import KEYS, SECRET, connection, page, store, xml
from tests.services.fault_proxy import Answer, FaultProxy, Request, answered
from tests.services.processes import free_port

NO_ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@pytest.fixture
def no_keys_around(monkeypatch, tmp_path):
    """No keys in the environment, in files or from the machine."""
    for name in NO_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def listed(made: S3Connection) -> list[str]:
    return [entry.key for entry in made.storage().list()]


def problem_of(made: S3Connection) -> StorageError:
    with pytest.raises(StorageError) as refused:
        listed(made)
    assert refused.value.code in codes()
    return refused.value


# Addressing


@pytest.mark.parametrize(
    ("endpoint", "bucket", "style"),
    [
        ("http://10.0.0.5:9000", "pictures", "path"),
        ("http://[fd12::5]:9000", "pictures", "path"),
        ("http://minio:9000", "pictures", "path"),
        ("https://obs.cn-north-4.myhuaweicloud.com", "pictures", "virtual"),
        ("https://store.example.com", "Pictures_2", "path"),
        ("https://store.example.com", "my.pictures", "path"),
        ("", "pictures", "virtual"),
        ("", "my.pictures", "path"),
    ],
)
def test_the_bucket_stands_in_the_host_where_that_can_work(endpoint, bucket, style):
    assert S3Connection(bucket=bucket, endpoint=endpoint).style == style


@pytest.mark.parametrize("addressing", [Addressing.PATH, Addressing.VIRTUAL])
def test_a_choice_of_addressing_is_kept(addressing, monkeypatch):
    """OBS refuses the bucket in the path, a private store may know no names below its own."""
    resolve_to_loopback(monkeypatch)
    with store(lambda _: page(["a.jpg"])) as proxy:
        port = proxy.endpoint.rpartition(":")[2]
        made = connection(proxy, endpoint=f"http://store.test:{port}", addressing=addressing)
        assert listed(made) == ["a.jpg"]

        request = proxy.requests[0]
    in_path = addressing == Addressing.PATH
    assert request.headers["Host"] == f"{'' if in_path else 'pictures.'}store.test:{port}"
    assert request.target.startswith("/pictures?" if in_path else "/?")


def resolve_to_loopback(monkeypatch, *before: str) -> list[str]:
    """Every name is that of this machine; the names that were asked for."""
    names = []
    really = socket.getaddrinfo

    def answer(host, port, *args, **options):
        if not host[0].isdigit():
            names.append(host)
        addresses = (*before, "127.0.0.1") if not host[0].isdigit() else (host,)
        return [found for address in addresses for found in really(address, port, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names


@pytest.mark.parametrize(
    ("endpoint", "region", "expected"),
    [
        ("", "eu-west-1", "eu-west-1"),
        ("", "", "us-east-1"),
        ("https://obs.cn-north-4.myhuaweicloud.com", "", "cn-north-4"),
        ("https://s3.eu-central-1.amazonaws.com", "", "eu-central-1"),
        ("https://obs.cn-north-4.myhuaweicloud.com", "other", "other"),
        ("https://store.example.com", "", "us-east-1"),
    ],
)
def test_the_region_is_read_from_the_endpoint_where_it_is_not_given(endpoint, region, expected):
    made = S3Connection(bucket="pictures", endpoint=endpoint, region=region)

    assert made.signing_region == expected


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bucket": "a"}, "bucket-name-invalid"),
        ({"bucket": "pictures/summer"}, "bucket-name-invalid"),
        ({"bucket": "arn:aws:s3:us-east-1:1:accesspoint/x"}, "bucket-name-invalid"),
        ({"bucket": "../other"}, "bucket-name-invalid"),
        ({"region": "eu west"}, "region-invalid"),
        ({"region": "x.evil.example.com/"}, "region-invalid"),
        ({"endpoint": "http://store.test/bucket"}, "endpoint-invalid"),
    ],
)
def test_what_cannot_be_a_connection_is_refused_before_anybody_is_asked(changes, code):
    with FaultProxy() as proxy:
        assert problem_of(connection(proxy, **changes)).code == code
        assert proxy.requests == []


# Keys


def test_requests_are_signed_with_the_keys_given():
    token = Secret("session-" + "t" * 30)
    with store(lambda _: page([])) as proxy:
        listed(connection(proxy, keys=replace(KEYS, session_token=token)))
        headers = proxy.requests[0].headers

    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert headers["X-Amz-Security-Token"] == token.reveal()
    assert SECRET not in str(headers)


def test_keys_may_contain_a_colon():
    keys = Keys(access_key="tenant:user", secret_key=Secret("s"))
    with store(lambda _: page([])) as proxy:
        listed(connection(proxy, keys=keys))

        assert "Credential=tenant:user/" in proxy.requests[0].headers["Authorization"]


@pytest.mark.usefixtures("no_keys_around")
def test_without_keys_those_of_the_servers_environment_are_used(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OFTHESERVER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    with store(lambda _: page([])) as proxy:
        listed(connection(proxy, keys=None))
        headers = proxy.requests[0].headers

    assert "Credential=OFTHESERVER/" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "token"


@pytest.mark.usefixtures("no_keys_around")
def test_without_any_keys_people_are_told_to_enter_some():
    with store(lambda _: page([])) as proxy:
        assert problem_of(connection(proxy, keys=None)).code == "no-credentials"
        assert proxy.requests == []


def test_nothing_secret_is_logged_even_by_the_library(caplog):
    caplog.set_level(logging.DEBUG)
    token = Secret("session-" + "t" * 30)
    with store(lambda _: page([])) as proxy:
        made = connection(proxy, keys=replace(KEYS, session_token=token))
        logging.getLogger("labelhub").debug("using %r", made)
        listed(made)
        made.storage().url("a.jpg")

    assert "using S3Connection" in caplog.text
    for text in (SECRET, token.reveal(), "Signature"):
        assert text not in caplog.text


def test_one_connection_is_one_client_and_other_keys_are_another():
    with store(lambda _: page([])) as proxy:
        first, same = connection(proxy).storage(), connection(proxy).storage()
        other = connection(proxy, keys=Keys(access_key="AK", secret_key=Secret("x"))).storage()

        assert first._client is same._client
        assert first._client is not other._client


def test_the_library_is_loaded_when_a_bucket_is_used_and_not_before():
    code = (
        "import sys, datasets.storages.s3_connection, datasets.storages.checkup as _;"
        "sys.exit(any(name.split('.')[0] in ('boto3', 'botocore') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# What stores other than Amazon's need


def test_no_checksums_are_sent_that_other_stores_refuse():
    def answer(request: Request) -> Answer:
        if request.method == "HEAD":
            headers = {"ETag": '"x"', "Content-Length": "5"}
            return Answer(200, headers | {"Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT"})
        return Answer(200, {"ETag": '"x"'})

    with store(answer) as proxy:
        entry = connection(proxy).storage().put("a.jpg", BytesIO(b"12345"))
        put = proxy.requests[0]

    assert entry.modified_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert put.method == "PUT"
    assert put.body == b"12345"
    assert put.headers["Content-MD5"] == "gnzLDuqKcGxMNKFokfhOew=="
    assert put.headers["Content-Type"] == "image/jpeg"
    names = {name.lower() for name in put.headers}
    assert not [name for name in names if "checksum" in name or "trailer" in name]


def test_a_batch_of_deletions_carries_its_md5():
    with store(
        lambda _: xml("<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>")
    ) as proxy:
        assert [result.deleted for result in connection(proxy).storage().delete(["a"])] == [True]
        request = proxy.requests[0]

    assert request.query == "delete"
    assert len(request.headers["Content-MD5"]) == 24
    assert not [name for name in request.headers if "checksum" in name.lower()]


# Deleting


def deleted(*keys: str, **errors: str) -> Answer:
    done = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
    failed = "".join(
        f"<Error><Key>{key}</Key><Code>{code}</Code><Message>no</Message></Error>"
        for key, code in errors.items()
    )
    return xml(f"<DeleteResult>{done}{failed}</DeleteResult>")


@pytest.fixture
def no_pauses(monkeypatch) -> list[float]:
    """Waiting between attempts is noted, not done."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


def test_each_key_has_its_own_result():
    answer = deleted("a", "c", b="AccessDenied", d="NoSuchKey", e="SomethingElse")
    with store(lambda _: answer) as proxy:
        results = list(connection(proxy).storage().delete(["a", "b", "c", "d", "e", "../f", ""]))

    assert {result.key: result.problem for result in results} == {
        "a": "",
        "b": "delete-denied",
        "c": "",
        "d": "",
        "e": "storage-failed",
        "../f": "key-not-a-path",
        "": "key-not-a-path",
    }
    assert dict(results[4].params) == {"reason": "SomethingElse no"}
    assert [result.key for result in results] == ["a", "b", "c", "d", "e", "../f", ""]


def test_a_key_that_the_answer_does_not_mention_is_asked_for_alone():
    def answer(request: Request) -> Answer:
        return deleted("a") if request.method == "POST" else Answer(204)

    with store(answer) as proxy:
        results = list(connection(proxy).storage().delete(["a", "b"]))

        assert [result.deleted for result in results] == [True, True]
        assert [request.target for request in proxy.requests[1:]] == ["/pictures/b"]


def test_keys_that_no_xml_can_hold_are_deleted_alone():
    with store(lambda request: deleted("a") if request.method == "POST" else Answer(204)) as proxy:
        results = list(connection(proxy).storage().delete(["a", "b\x01", "c\r"]))

        assert [result.deleted for result in results] == [True] * 3
        assert [request.target for request in proxy.requests if request.method == "DELETE"] == [
            "/pictures/b%01",
            "/pictures/c%0D",
        ]


@pytest.mark.parametrize("code", ["NotImplemented", "MethodNotAllowed"])
def test_a_store_that_cannot_delete_several_is_asked_one_by_one(code):
    def answer(request: Request) -> Answer:
        if request.method == "POST":
            return answered(405, code)(request, None)
        return Answer(204)

    with store(answer) as proxy:
        results = list(connection(proxy).storage().delete(["a", "b"]))

        assert [result.deleted for result in results] == [True, True]
        assert proxy.asked(method="DELETE") == 2


def test_a_key_that_is_put_off_is_asked_again(no_pauses):
    answers = [deleted("a", b="InternalError", c="SlowDown"), deleted("b", c="SlowDown")]
    answers.append(deleted("c"))
    with store(lambda _: answers[len(proxy.requests) - 1]) as proxy:
        results = list(connection(proxy).storage().delete(["a", "b", "c"]))

    assert [result.deleted for result in results] == [True] * 3
    assert no_pauses == [0.5, 1.0]


def test_deleting_goes_by_a_thousand_and_only_as_far_as_it_is_asked():
    def answer(request: Request) -> Answer:
        keys = [part.partition(b"<")[0].decode() for part in request.body.split(b"<Key>")[1:]]
        return deleted(*keys)

    with store(answer) as proxy:
        results = connection(proxy).storage().delete(str(number) for number in range(2_500))
        assert next(results).deleted
        assert len(proxy.requests) == 1

        assert sum(result.deleted for result in results) == 2_499
        assert len(proxy.requests) == 3


# Whoever answers


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [
        (403, "InvalidAccessKeyId", "wrong-access-key"),
        (403, "SignatureDoesNotMatch", "wrong-secret-key"),
        (400, "ExpiredToken", "expired-credentials"),
        (400, "InvalidToken", "expired-credentials"),
        (403, "RequestTimeTooSkewed", "clock-skew"),
        (404, "NoSuchBucket", "bucket-missing"),
        (403, "AccessDenied", "list-denied"),
        (301, "PermanentRedirect", "wrong-region"),
        (400, "IllegalLocationConstraintException", "wrong-region"),
        (400, "VirtualHostDomainRequired", "virtual-addressing-needed"),
        (503, "SlowDown", "storage-busy"),
        (500, "InternalError", "storage-broken"),
        (403, "QuotaExceeded", "quota-exceeded"),
        (418, "TeapotError", "storage-failed"),
    ],
)
def test_what_a_store_answers_is_said_in_words(status, code, problem):
    with store(lambda request: answered(status, code)(request, None)) as proxy:
        error = problem_of(connection(proxy))

    assert error.code == problem
    assert error.item == "pictures"
    assert str(error).startswith("pictures: ")


def test_the_right_region_is_named_where_the_store_names_it():
    body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"
    with store(lambda request: answered(400, body=body)(request, None)) as proxy:
        error = problem_of(connection(proxy))

    assert error.code == "wrong-region-named"
    assert "eu-west-3" in str(error)


@pytest.mark.parametrize(
    ("code", "kind", "problem"),
    [("NoSuchKey", Missing, "missing"), ("AccessDenied", Unreadable, "read-denied"),
     ("InvalidObjectState", StorageError, "object-archived")],
)  # fmt: skip
def test_reading_tells_its_own_problems(code, kind, problem):
    with store(lambda request: answered(403, code)(request, None)) as proxy:
        storage = connection(proxy).storage()
        for ask in (storage.open, storage.head):
            with pytest.raises(kind) as refused:
                ask("a.jpg")
            assert (refused.value.code, refused.value.item) == (problem, "a.jpg")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<!DOCTYPE html><html><body>Welcome</body></html>"),
        (200, b"\xef\xbb\xbf\n<html>"),
        (200, b'{"status": "ok"}'),
        (404, b"<html><h1>Not Found</h1></html>"),
        (404, b""),
        (405, b"Method Not Allowed"),
    ],
)
def test_a_web_server_is_no_store(status, body):
    with store(lambda request: answered(status, body=body)(request, None)) as proxy:
        error = problem_of(connection(proxy, attempts=3))

        assert error.code == "not-s3"
        assert len(proxy.requests) == 1


def test_a_page_of_a_web_server_in_place_of_an_object_is_no_answer_either():
    body = b"<html><h1>Forbidden</h1></html>"
    with store(lambda request: answered(403, body=body)(request, None)) as proxy:
        with pytest.raises(Unreadable):
            connection(proxy).storage().open("a.jpg")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_to_other_hosts_are_not_followed(status):
    with store(lambda _: page(["secret.jpg"])) as other:
        headers = {"Location": f"{other.endpoint}/pictures", "x-amz-bucket-region": "eu-west-3"}
        with store(lambda _: Answer(status, headers)) as proxy:
            storage = connection(proxy).storage()
            for ask in (lambda: list(storage.list()), lambda: storage.open("secret.jpg")):
                with pytest.raises(StorageError):
                    ask()
            host = proxy.endpoint.removeprefix("http://")
            assert {request.headers["Host"] for request in proxy.requests} == {host}
        assert other.requests == []


def test_a_redirect_is_said_so():
    with store(lambda _: Answer(302, {"Location": "https://elsewhere.example.com/"})) as proxy:
        assert problem_of(connection(proxy)).code == "endpoint-redirects"


def test_nobody_there_is_said_so():
    with FaultProxy() as proxy:
        made = connection(proxy, endpoint=f"http://127.0.0.1:{free_port()}")
        assert problem_of(made).code == "endpoint-unreachable"


def test_a_name_that_nobody_knows_is_said_so(monkeypatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with FaultProxy() as proxy:
        error = problem_of(connection(proxy, endpoint="https://store.test"))

    assert (error.code, error.item) == ("endpoint-unknown", "pictures.store.test")


def test_https_where_http_is_spoken_is_said_so():
    with store(lambda _: page([])) as proxy:
        made = connection(proxy, endpoint=proxy.endpoint.replace("http:", "https:"))
        assert problem_of(made).code == "tls-not-spoken"


def test_a_store_that_is_silent_is_given_up():
    with FaultProxy() as proxy:
        proxy.spoil(proxy.silence(30))
        assert problem_of(connection(proxy, read_seconds=0.1)).code == "storage-timeout"


# Trying again


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    "fault",
    [answered(503, "SlowDown"), answered(500, "InternalError"), answered(502, body=b"<html>")],
)
def test_what_passes_is_tried_again(fault):
    with store(lambda _: page(["a.jpg"])) as proxy:
        proxy.spoil(fault, times=3)
        assert listed(connection(proxy, attempts=4)) == ["a.jpg"]
        assert len(proxy.requests) == 4


def test_trying_again_ends_and_waits_longer_each_time(no_pauses):
    with store(lambda request: answered(503, "SlowDown")(request, None)) as proxy:
        assert problem_of(connection(proxy, attempts=4)).code == "storage-busy"

        assert len(proxy.requests) == 4
    assert len(no_pauses) == 3
    assert all(pause <= limit for pause, limit in zip(no_pauses, (1, 2, 4), strict=True))


def test_what_will_not_pass_is_not_tried_again(no_pauses):
    with store(lambda request: answered(403, "SignatureDoesNotMatch")(request, None)) as proxy:
        problem_of(connection(proxy, attempts=4))

        assert len(proxy.requests) == 1
    assert no_pauses == []


# Addresses that only the server can reach


def test_loopback_is_refused_where_nobody_allowed_it(no_pauses):
    with store(lambda _: page(["a.jpg"])) as proxy:
        error = problem_of(connection(proxy, rules=AddressRules(), attempts=4))

        assert isinstance(error, EndpointRefused)
        assert proxy.requests == []
    assert no_pauses == []


def test_a_name_that_turns_to_loopback_after_it_was_checked_is_refused(monkeypatch):
    from datasets.storages.addresses import check_endpoint

    really = socket.getaddrinfo
    answers = iter(["8.8.8.8", "127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *args, **more: really(next(answers), *args, **more)
    )
    with store(lambda _: page(["a.jpg"])) as proxy:
        port = proxy.endpoint.rpartition(":")[2]
        endpoint = check_endpoint(f"http://store.test:{port}", AddressRules())
        error = problem_of(connection(proxy, endpoint=endpoint, rules=AddressRules()))

        assert isinstance(error, EndpointRefused)
        assert proxy.requests == []


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """The name is asked for once; a second answer could be another."""
    names = resolve_to_loopback(monkeypatch)
    with store(lambda _: page(["a.jpg"])) as proxy:
        port = proxy.endpoint.rpartition(":")[2]
        assert listed(connection(proxy, endpoint=f"http://store.test:{port}")) == ["a.jpg"]

    assert names == ["pictures.store.test"]


def test_the_next_address_is_tried_when_one_does_not_answer(monkeypatch):
    resolve_to_loopback(monkeypatch, "127.0.0.2")
    rules = AddressRules.allowing("127.0.0.0/8")
    with store(lambda _: page(["a.jpg"])) as proxy:
        port = proxy.endpoint.rpartition(":")[2]
        made = connection(proxy, endpoint=f"http://store.test:{port}", rules=rules)
        assert listed(made) == ["a.jpg"]


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    with store(lambda _: page(["b.jpg"])) as other, store(lambda _: page(["a.jpg"])) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, other.endpoint)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert listed(connection(proxy)) == ["a.jpg"]
        assert other.requests == []


def test_an_endpoint_of_the_environment_is_not_used(monkeypatch):
    with store(lambda _: page(["b.jpg"])) as other:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", other.endpoint)
        address = S3Connection(bucket="pictures", keys=KEYS).storage().url("a.jpg")

    assert address.startswith("https://pictures.s3.")
    assert "amazonaws.com/a.jpg?" in address
