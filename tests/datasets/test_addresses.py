"""The server connects to no address that only it can reach, however it is written or hidden."""

import socket

import pytest

from datasets.storages import StorageError
from datasets.storages.addresses import AddressRules, EndpointRefused, check_endpoint
from labelhub import env

NONE_ALLOWED = AddressRules()


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """A name server: what is not in there is unknown to it, addresses are themselves."""
    known: dict[str, list[str]] = {}
    really = socket.getaddrinfo

    def answer(host: str, port: int, *args: object, **options: object):
        if host not in known:
            return really(host, port, *args, flags=socket.AI_NUMERICHOST, **options)
        return [
            found for address in known[host] for found in really(address, port, *args, **options)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::a9fe:a9fe",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::169.254.169.254",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::1",
    ],
)
def test_addresses_of_the_machine_its_link_and_clouds_are_refused(address):
    assert not NONE_ALLOWED.allows("store.example.com", address, 443)


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.16.0.9", "192.168.1.7", "8.8.8.8", "2001:4860:4860::8888", "fd12:3456::1"]
    + ["100.64.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_private_and_public_addresses_are_where_storages_are(address):
    assert NONE_ALLOWED.allows("store.example.com", address, 443)


@pytest.mark.parametrize(
    "written",
    ["2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "0x7f.1", "127.1", "0"]
    + ["１２７.０.０.１", "[::ffff:7f00:1]", "[::]", "[fe80::1%25lo]", "[0:0:0:0:0:0:0:1]"],
)
def test_other_ways_to_write_an_address_are_seen_through(written):
    with pytest.raises((EndpointRefused, StorageError)) as refused:
        check_endpoint(f"http://{written}:9000", NONE_ALLOWED)

    assert refused.value.code in {"endpoint-refused", "endpoint-unknown"}


def test_numbers_for_an_address_are_refused_for_what_they_are():
    """Those that the resolver of this system takes are refused, not merely unknown."""
    for written in ("2130706433", "0x7f000001", "127.1", "0177.0.0.1"):
        with pytest.raises(EndpointRefused) as refused:
            check_endpoint(f"http://{written}", NONE_ALLOWED)
        assert refused.value.params["address"] == "127.0.0.1"


def test_a_name_is_refused_when_any_of_its_addresses_is(names):
    names["store.example.com"] = ["10.0.0.5", "127.0.0.1"]

    with pytest.raises(EndpointRefused) as refused:
        check_endpoint("https://store.example.com", NONE_ALLOWED)

    assert "127.0.0.1" in str(refused.value)
    assert "LABELHUB_STORAGE_ADDRESSES" in str(refused.value)


def test_a_name_with_good_addresses_is_taken(names):
    names["store.example.com"] = ["10.0.0.5", "10.0.0.6"]

    assert check_endpoint(" store.example.com/ ", NONE_ALLOWED) == "https://store.example.com"
    assert NONE_ALLOWED.resolve("store.example.com", 443) == ["10.0.0.5", "10.0.0.6"]


@pytest.mark.usefixtures("names")
def test_a_name_that_nobody_knows_is_said_so():
    for host in ("nowhere.example.com", "x" * 80 + ".com", "a..b"):
        with pytest.raises(StorageError) as unknown:
            check_endpoint(f"https://{host}", NONE_ALLOWED)
        assert unknown.value.code == "endpoint-unknown"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "https://",
        "ftp://store.example.com",
        "file:///etc/passwd",
        "https://store.example.com/bucket",
        "https://user:secret@store.example.com",
        "https://store.example.com?x=1",
        "https://store.example.com#x",
        "https://store.example.com:port",
        "https://store.example.com:0",
        "https://store.example.com:99999",
        "https://good.example.com\\@127.0.0.1",
        "https://store.example.com\n:80",
        "https://store .example.com",
        "https://[::1",
    ],
)
def test_what_is_no_endpoint_is_refused(typed):
    with pytest.raises(StorageError) as refused:
        check_endpoint(typed, NONE_ALLOWED)

    assert refused.value.code == "endpoint-invalid"


@pytest.mark.parametrize(
    ("word", "host", "address", "port", "is_allowed"),
    [
        ("127.0.0.1:9000", "x", "127.0.0.1", 9000, True),
        ("127.0.0.1:9000", "x", "127.0.0.1", 6379, False),
        ("127.0.0.0/8", "x", "127.3.4.5", 1, True),
        ("127.0.0.0/8:80", "x", "127.3.4.5", 80, True),
        ("127.0.0.0/8:80", "x", "127.3.4.5", 81, False),
        ("::1", "x", "::1", 80, True),
        ("[::1]:80", "x", "::1", 81, False),
        ("fe80::/10", "x", "fe80::1%lo", 80, True),
        ("Store.Local", "store.local.", "127.0.0.1", 80, True),
        ("store.local", "bucket.STORE.local", "127.0.0.1", 80, True),
        ("store.local", "mystore.local", "127.0.0.1", 80, False),
        ("store.local:9000", "store.local", "127.0.0.1", 80, False),
        ("10.0.0.0/8", "x", "127.0.0.1", 80, False),
        ("127.0.0.1", "x", "::ffff:127.0.0.1", 80, False),
    ],
)
def test_the_administrator_allows_what_is_listed_and_no_more(word, host, address, port, is_allowed):
    assert AddressRules.allowing(word).allows(host, address, port) is is_allowed


@pytest.mark.parametrize(
    "word", ["10.0.0.0/99", "10.0.0.999", "a b", "http://x", "x/y", "host:0", "host:http", ":80"]
)
def test_a_wrong_word_in_the_list_stops_the_start(word):
    with pytest.raises(ValueError, match="."):
        env.addresses(word)


def test_an_empty_list_allows_nothing_more():
    assert AddressRules(tuple(env.addresses(" , "))) == NONE_ALLOWED
