"""A listing is whole, in order and without repeats, or it ends with an error."""

import pytest

from datasets.storages import StorageError
from tests.datasets.s3_scripts import asked, by_marker, connection, page, store, xml
from tests.services.fault_proxy import Answer, FaultProxy, Request

KEYS = sorted(f"a/{number:02}.jpg" for number in range(20))


def keys(proxy: FaultProxy, prefix: str = "", *, after: str | None = None, **changes) -> list[str]:
    storage = connection(proxy, **changes).storage()
    return [entry.key for entry in storage.list(prefix, after=after)]


def refused(proxy: FaultProxy) -> tuple[list[str], str]:
    """What came before the error, and its code."""
    came = []
    entries = connection(proxy).storage().list()
    with pytest.raises(StorageError) as error:
        came.extend(entry.key for entry in entries)
    return came, error.value.code


def test_a_store_that_promises_more_without_a_token_is_asked_by_marker():
    with store(by_marker(KEYS)) as proxy:
        assert keys(proxy) == KEYS

        assert proxy.asked(query="list-type=2") == 1
        assert proxy.asked(query="marker=") == 6


def test_a_marker_that_comes_again_is_not_listed_twice():
    with store(by_marker(KEYS, is_inclusive=True)) as proxy:
        assert keys(proxy) == KEYS


def test_a_store_that_begins_again_at_each_page_ends_with_an_error():
    with store(lambda _: page(KEYS[:5], more=True, token="next")) as proxy:
        assert refused(proxy) == (KEYS[:5], "listing-stuck")


def test_a_store_that_begins_again_later_gives_no_key_twice():
    pages = {"": (KEYS[:5], "1"), "1": (KEYS[5:10], "2"), "2": (KEYS[:5], "3")}

    def answer(request: Request) -> Answer:
        found, token = pages[asked(request, "continuation-token")]
        return page(found, more=True, token=token)

    with store(answer) as proxy:
        came, code = refused(proxy)

    assert came == KEYS[:10]
    assert code in {"listing-unordered", "listing-stuck"}


def test_pages_that_overlap_are_joined():
    pages = {"": (KEYS[:8], "1"), "1": (KEYS[5:15], "2"), "2": (KEYS[14:], "")}

    def answer(request: Request) -> Answer:
        found, token = pages[asked(request, "continuation-token")]
        return page(found, more=bool(token), token=token)

    with store(answer) as proxy:
        assert keys(proxy) == KEYS


def test_a_page_without_order_is_put_in_order():
    with store(lambda _: page([*KEYS[10:], *KEYS[:10]])) as proxy:
        assert keys(proxy) == KEYS


def test_pages_without_order_are_an_error_and_nothing_is_passed_over_in_silence():
    pages = {"": (KEYS[10:], "1"), "1": ([*KEYS[:10], "z.jpg"], "")}

    def answer(request: Request) -> Answer:
        found, token = pages[asked(request, "continuation-token")]
        return page(found, more=bool(token), token=token)

    with store(answer) as proxy:
        assert refused(proxy) == (KEYS[10:], "listing-unordered")


def test_a_store_that_does_not_know_where_to_start_is_asked_by_marker():
    def answer(request: Request) -> Answer:
        marker = asked(request, "marker")
        return page([key for key in KEYS if key > marker])

    with store(answer) as proxy:
        assert keys(proxy, after=KEYS[11]) == KEYS[12:]
        assert proxy.asked(query="marker=a") == 1


def test_a_store_that_knows_neither_is_read_from_its_start():
    def answer(request: Request) -> Answer:
        start = int(asked(request, "continuation-token") or 0)
        if start == 0 and asked(request, "marker") > KEYS[0]:
            start = [key > asked(request, "marker") for key in KEYS].index(True) // 3 * 3
        return page(KEYS[start : start + 3], more=start + 3 < len(KEYS), token=str(start + 3))

    with store(answer) as proxy:
        assert keys(proxy, after=KEYS[11]) == KEYS[12:]


def test_a_store_without_the_second_version_is_asked_in_the_first():
    in_markers = by_marker(KEYS)

    def answer(request: Request) -> Answer:
        if asked(request, "list-type") == "2":
            body = b"<Error><Code>NotImplemented</Code></Error>"
            return Answer(501, {"Content-Type": "application/xml"}, body)
        return in_markers(request)

    with store(answer) as proxy:
        assert keys(proxy) == KEYS
        assert keys(proxy, after=KEYS[4]) == KEYS[5:]


def test_empty_pages_between_are_passed():
    def answer(request: Request) -> Answer:
        number = int(asked(request, "continuation-token") or 0)
        return page(KEYS[number : number + 1] if number % 3 == 0 else [], more=number < 20,
                    token=str(number + 1))  # fmt: skip

    with store(answer) as proxy:
        assert keys(proxy) == KEYS[::3]


def test_empty_pages_without_end_are_an_error(monkeypatch):
    monkeypatch.setattr("datasets.storages.s3_listing._EMPTY_PAGES", 20)

    with store(lambda request: page([], more=True, token=f"{len(proxy.requests)}")) as proxy:
        assert refused(proxy) == ([], "listing-stuck")
        assert len(proxy.requests) == 21


def test_an_empty_page_that_promises_more_without_a_token_is_an_error():
    with store(lambda _: page([], more=True)) as proxy:
        assert refused(proxy) == ([], "listing-stuck")


def test_keys_outside_the_prefix_are_never_listed():
    with store(lambda _: page(["a/1.jpg", "b/secret.jpg", "c/2.jpg"])) as proxy:
        assert keys(proxy, "a/") == ["a/1.jpg"]


def test_a_storage_can_be_a_prefix_of_a_bucket():
    with store(lambda _: page(["b/", "b/1.jpg", "b/x/2.jpg", "ba.jpg"])) as proxy:
        storage = connection(proxy, prefix="b").storage()

        assert [entry.key for entry in storage.list()] == ["1.jpg", "x/2.jpg"]
        assert asked(proxy.requests[0], "prefix") == "b/"


def test_folders_that_consoles_keep_are_not_listed():
    with store(lambda _: page(["a/", "a/1.jpg", "a/b/", "c/"])) as proxy:
        assert keys(proxy) == ["a/1.jpg"]


@pytest.mark.parametrize("key", ["a/../b.jpg", "./b.jpg", "a/./b.jpg", "a/.."])
def test_a_key_that_is_no_path_is_listed_as_a_problem(key):
    with store(lambda _: page([key])) as proxy:
        (entry,) = connection(proxy).storage().list()

    assert (entry.key, entry.problem) == (key, "key-not-a-path")


def test_a_key_that_is_not_utf8_is_a_problem_and_can_be_shown():
    listed = page(["a.jpg", "KEY", "d.jpg"]).body.replace(b"KEY", b"caf%E9.jpg")

    with store(lambda _: Answer(200, {}, listed)) as proxy:
        found = list(connection(proxy).storage().list())

    assert [entry.problem for entry in found] == ["", "name-not-utf8", ""]
    assert found[1].readable_key == r"caf\xe9.jpg"


def test_a_store_that_does_not_encode_keys_is_understood():
    odd = ["100%25.jpg", "a+b.jpg", "a b.jpg"]

    with store(lambda _: page(sorted(odd), encoded=False)) as proxy:
        assert keys(proxy) == sorted(odd)


def test_spaces_may_come_as_plus():
    listed = page(["KEY"]).body.replace(b"KEY", b"a+b%2Bc.jpg")

    with store(lambda _: Answer(200, {}, listed)) as proxy:
        assert keys(proxy) == ["a b+c.jpg"]


def test_an_answer_that_is_no_listing_is_not_taken_for_an_empty_bucket():
    with store(lambda _: xml("<html><body>Welcome</body></html>")) as proxy:
        assert refused(proxy) == ([], "not-s3")
    with store(lambda _: xml("<Welcome/>")) as proxy:
        assert refused(proxy) == ([], "not-s3")
