"""Messages between the front and a prediction process, over a pair of sockets.

One message is a head and a blob: 4 bytes length of the head, 8 bytes length of the blob (both
big-endian), the head as JSON, the blob as it is. JSON and not pickle, because the prediction
processes decode strangers' pictures, and the front does not have to trust what they answer.
"""

import asyncio
import json
import socket
import struct
from typing import Any

LENGTHS = struct.Struct(">IQ")
Head = dict[str, Any]


def pack(head: Head, blob_size: int = 0) -> bytes:
    """Everything of a message but its blob."""
    body = json.dumps(head).encode()
    return LENGTHS.pack(len(body), blob_size) + body


def receive(link: socket.socket) -> tuple[Head, memoryview]:
    """The next message, waiting for it; raises EOFError when the other side is gone."""
    head_size, blob_size = LENGTHS.unpack(_receive_exactly(link, LENGTHS.size))
    head = json.loads(bytes(_receive_exactly(link, head_size)))
    return head, _receive_exactly(link, blob_size)


async def read_head(reader: asyncio.StreamReader) -> Head:
    """The next message of a prediction process; its answers carry no blob."""
    head_size, _ = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
    return json.loads(await reader.readexactly(head_size))


def _receive_exactly(link: socket.socket, size: int) -> memoryview:
    buffer = memoryview(bytearray(size))
    filled = 0
    while filled < size:
        count = link.recv_into(buffer[filled:])
        if not count:
            raise EOFError("the other side of the link is gone")
        filled += count
    return buffer
