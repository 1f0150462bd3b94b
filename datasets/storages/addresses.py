"""Which addresses the server may connect to for people who type the address of a storage.

Whoever may name a storage could else have the server talk to itself, or to the service from which
machines of a cloud get their keys. So a name is resolved, and refused when any of its addresses
is of this machine alone, of its cable alone, or of such a service. The connection is then made to
an address that was checked, not to the name: a name server that answers otherwise the second time
changes nothing. Private networks are allowed, for that is where storages of one's own stand.
"""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from datasets.storages import StorageError
from labelhub.env import Address, addresses

IP = IPv4Address | IPv6Address

# Where clouds hand keys to their machines, besides 169.254.0.0/16, fe80::/10 and loopback.
_REFUSED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # reaches this machine
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.0/24",  # Oracle
        "240.0.0.0/4",
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::/32",  # Google
        "fd00:42::/32",  # Scaleway
        "fec0::/10",
    )
)
# IPv6 addresses that carry an IPv4 one, to which a gateway or the kernel passes the connection on.
_CARRIERS = tuple(ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
_PORTS = {"http": 80, "https": 443}
_NOT_IN_ENDPOINTS = re.compile(r"[\s\\@?#\x00-\x1f\x7f]")


class EndpointRefused(StorageError):
    code = "endpoint-refused"


@dataclass(frozen=True, slots=True)
class AddressRules:
    """`allowed` is the administrator's list: what it names is connected to wherever it is."""

    allowed: tuple[Address, ...] = ()

    @classmethod
    def allowing(cls, *words: str) -> "AddressRules":
        """Of words as the setting takes them: `127.0.0.1:9000`, `10.0.0.0/8`, `store.local`."""
        return cls(tuple(addresses(",".join(words))))

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of the host, each of them checked. Raises EndpointRefused, gaierror."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            # A part of the name is empty or too long: no name server knows it.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from error
        answers = list(dict.fromkeys(str(address[4][0]) for address in found))
        for answer in answers:
            if not self.allows(host, answer, port):
                raise EndpointRefused(host, address=answer)
        return answers

    def allows(self, host: str, address: str, port: int) -> bool:
        ip = _without_scope(ip_address(address))
        name = f".{host.lower().rstrip('.')}"
        for allowed in self.allowed:
            if allowed.port not in (None, port):
                continue
            if allowed.host and name.endswith(f".{allowed.host}"):
                return True
            if allowed.network is not None and ip in allowed.network:
                return True
        return not any(map(_is_dangerous, _carried(ip)))


def check_endpoint(typed: str, rules: AddressRules) -> str:
    """The endpoint that somebody typed, as `https://host[:port]`.

    Raises StorageError where it is none, where nobody knows the name, and EndpointRefused.
    """
    parts = parse_endpoint(typed)
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    try:
        rules.resolve(host, port)
    except socket.gaierror as error:
        raise StorageError(host, code="endpoint-unknown") from error
    return f"{parts.scheme}://{parts.netloc}"


def parse_endpoint(typed: str) -> SplitResult:
    """Its parts; https where it does not say. Raises StorageError where it is no endpoint."""
    endpoint = typed.strip()
    if "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    try:
        parts = urlsplit(endpoint)
        usable = parts.hostname and parts.port != 0 and parts.scheme in _PORTS
    except ValueError:
        # No number as port, brackets around what is no IPv6 address.
        usable = False
    if not usable or _NOT_IN_ENDPOINTS.search(endpoint) or parts.path.strip("/"):
        raise StorageError(typed, code="endpoint-invalid")
    return parts


def _is_dangerous(ip: IP) -> bool:
    return (
        ip.is_loopback
        or ip.is_link_local
        or ip.is_multicast
        or ip.is_unspecified
        or any(ip in network for network in _REFUSED)
    )


def _carried(ip: IP) -> Iterator[IP]:
    """The address, and every IPv4 address inside it."""
    yield ip
    if isinstance(ip, IPv4Address):
        return
    if ip.ipv4_mapped:
        yield ip.ipv4_mapped
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo
    if any(ip in network for network in _CARRIERS):
        yield IPv4Address(int(ip) & 0xFFFFFFFF)


def _without_scope(ip: IP) -> IP:
    """`fe80::1%eth0` lies in no network as long as the `%eth0` is there."""
    return IPv6Address(int(ip)) if isinstance(ip, IPv6Address) else ip
