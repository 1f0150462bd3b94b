"""Answers of stores that are not as they should be, for a proxy without a server behind it."""

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from datasets.secrets import Secret
from datasets.storages.addresses import AddressRules
from datasets.storages.s3_connection import Keys, S3Connection
from tests.services.fault_proxy import Answer, FaultProxy, Request

SECRET = "very/secret+" + "s" * 28
KEYS = Keys(access_key="AKIDEXAMPLE", secret_key=Secret(SECRET))
LOOPBACK = AddressRules.allowing("127.0.0.1")


def connection(proxy: FaultProxy, **changes: object) -> S3Connection:
    given = {"bucket": "pictures", "endpoint": proxy.endpoint, "keys": KEYS, "rules": LOOPBACK}
    return S3Connection(**(given | {"attempts": 1} | changes))


def xml(text: str) -> Answer:
    return Answer(200, {"Content-Type": "application/xml"}, text.encode())


def page(
    keys: Iterable[str], *, more: bool = False, token: str = "", encoded: bool = True
) -> Answer:
    """A page of a listing."""
    items = "".join(
        f"<Contents><Key>{escape(quote(key) if encoded else key)}</Key>"
        "<LastModified>2026-11-22T10:00:00.123Z</LastModified>"
        f'<ETag>"0123456789abcdef"</ETag><Size>{len(key)}</Size></Contents>'
        for key in keys
    )
    told = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    encoding = "<EncodingType>url</EncodingType>" if encoded else ""
    return xml(
        f"<ListBucketResult><Name>pictures</Name><IsTruncated>{str(more).lower()}</IsTruncated>"
        f"{encoding}{told}{items}</ListBucketResult>"
    )


def asked(request: Request, name: str) -> str:
    """A parameter of the request's query."""
    return parse_qs(request.query, keep_blank_values=True).get(name, [""])[0]


def store(answer: Callable[[Request], Answer]) -> FaultProxy:
    """A store that answers everything so."""
    proxy = FaultProxy()
    proxy.spoil(lambda request, _forward: answer(request), times=1_000_000)
    return proxy


def by_marker(keys: Sequence[str], *, size: int = 3, is_inclusive: bool = False):
    """A store that pages by marker only: it promises more, and gives no token."""

    def answer(request: Request) -> Answer:
        marker = asked(request, "marker") or asked(request, "start-after")
        rest = [key for key in keys if key > marker or (is_inclusive and key == marker)]
        return page(rest[:size], more=len(rest) > size)

    return answer
