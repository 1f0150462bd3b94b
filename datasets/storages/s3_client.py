"""The client of the library for S3, set up for stores of every make, behind the rules of addresses.

One is made per connection and process and kept: that takes 10 ms, and its sockets are used again.
"""

import base64
import hashlib
import logging
import os
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    AWSPreparedRequest,
    AWSResponse,
)
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from datasets.storages import StorageError
from datasets.storages.addresses import AddressRules
from datasets.storages.s3_connection import S3Connection

_CONNECTIONS = 16
_SPACE = b"\xef\xbb\xbf \t\r\n"
_HTML = (b"<!doctype html", b"<html")
# What it logs at DEBUG holds session tokens and signatures.
for _name in ("botocore", "urllib3"):
    logging.getLogger(_name).setLevel(logging.INFO)


def client_for(connection: S3Connection) -> BaseClient:
    """Raises StorageError where the connection cannot be one."""
    connection.check()
    return _kept(connection, os.getpid())


# Sockets that two processes share mix up their answers, so each process has its own.
@lru_cache(maxsize=32)
def _kept(connection: S3Connection, process: int) -> BaseClient:  # noqa: ARG001
    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    keys = connection.keys
    client = session.create_client(
        "s3",
        endpoint_url=connection.endpoint or None,
        region_name=connection.signing_region,
        aws_access_key_id=keys and keys.access_key,
        aws_secret_access_key=keys and keys.secret_key.reveal(),
        aws_session_token=keys and keys.session_token and keys.session_token.reveal(),
        config=_config(connection),
    )
    http = GuardedSession(connection)
    client.meta.events.register("before-send.s3", lambda request, **_: http.send(request))
    client.meta.events.register("before-call.s3", _stay)
    client.meta.events.register("before-call.s3.DeleteObjects", _add_md5)
    return client


@lru_cache(maxsize=1)
def _loader() -> Loader:
    """Keeps the descriptions of the service, which take 0.2 s and 15 MB to read."""
    return create_loader()


def _config(connection: S3Connection) -> Config:
    return Config(
        signature_version="s3v4",
        s3={
            "addressing_style": connection.style.value,
            "us_east_1_regional_endpoint": "regional",
        },
        # OBS and others refuse the checksums that newer versions of the library add on their own.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": connection.attempts},
        ignore_configured_endpoint_urls=True,
        proxies={},
    )


def _stay(params: dict[str, Any], **_: object) -> None:
    """The library asks for the region of a bucket when it is sent on, and asks without end where
    the answer is to go on again. People are told instead."""
    params["context"].setdefault("s3_redirect", {})["redirected"] = True


def _add_md5(params: dict[str, Any], **_: object) -> None:
    """One is required to delete several objects, and OBS knows no other kind."""
    params["context"].pop("checksum", None)
    body = params["body"]
    content = body if isinstance(body, bytes) else body.encode()
    params["headers"]["Content-MD5"] = md5(content)


def md5(content: bytes | bytearray) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _moment(text: object) -> datetime:
    """The library's own parser takes a third of the time of a listing."""
    if isinstance(text, str) and text.endswith("Z") and text[4:5] == "-":
        return datetime.fromisoformat(text)
    return parse_timestamp(text)


class GuardedSession(URLLib3Session):
    """Sends requests to addresses that the rules allow, and tells what is no S3 at once.

    Proxies of the environment are not used: they would resolve the name themselves.
    """

    def __init__(self, connection: S3Connection) -> None:
        super().__init__(
            verify=connection.ca_file or True,
            timeout=(connection.connect_seconds, connection.read_seconds),
            max_pool_connections=_CONNECTIONS,
            # Else a small body waits 40 ms for the answer to its head.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        self._pool_classes_by_scheme.update(_pools(connection.rules))

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        try:
            response = super().send(request)
        except HTTPClientError as error:
            # Not tried again, as what the library raises would be.
            if isinstance(refused := error.kwargs.get("error"), StorageError):
                raise refused from error
            raise
        if not request.stream_output:
            _check_answer(request, response)
        return response


def _check_answer(request: AWSPreparedRequest, response: AWSResponse) -> None:
    """A web server answers with pages; a store does so only when it is down."""
    status, start = response.status_code, response.content[:200].lstrip(_SPACE).lower()
    if status >= 500 or not start:
        return
    if 300 <= status < 400 and b"<error" not in start:
        raise StorageError(_host(request), code="endpoint-redirects")
    if start.startswith(_HTML) or (status == 200 and not start.startswith(b"<")):
        raise StorageError(_host(request), code="not-s3")


def _host(request: AWSPreparedRequest) -> str:
    return urlsplit(request.url).hostname or ""


def _pools(rules: AddressRules) -> Mapping[str, Callable]:
    class Guarded:
        """Connects to the addresses that were checked, one after the other, not to the name."""

        def _new_conn(self):
            name = self._dns_host
            failure: Exception | None = None
            try:
                for address in rules.resolve(name, self.port):
                    self._dns_host = address
                    try:
                        return super()._new_conn()
                    except (ConnectTimeoutError, NewConnectionError) as error:
                        failure = error
            except socket.gaierror as error:
                raise NameResolutionError(name, self, error) from error
            finally:
                # The certificate is that of the name.
                self._dns_host = name
            raise failure or NewConnectionError(self, "the name has no address")

    class Plain(Guarded, AWSHTTPConnection):
        pass

    class Safe(Guarded, AWSHTTPSConnection):
        pass

    class PlainPool(AWSHTTPConnectionPool):
        ConnectionCls = Plain

    class SafePool(AWSHTTPSConnectionPool):
        ConnectionCls = Safe

    return {"http": PlainPool, "https": SafePool}
