"""A body longer than any upload may be is refused before it is taken in."""

import asyncio
import json

from labelhub.asgi import NotLongerThan


def ask(*bodies: bytes, told: int | None) -> tuple[list[dict], list[dict]]:
    """What a request with these pieces of a body is answered, and what the application gets."""
    waiting = [
        {"type": "http.request", "body": body, "more_body": at < len(bodies) - 1}
        for at, body in enumerate(bodies)
    ]
    headers = [] if told is None else [(b"content-length", str(told).encode())]
    sent, got = [], []

    async def receive() -> dict:
        return waiting.pop(0)

    async def send(message: dict) -> None:
        sent.append(message)

    async def application(_scope, receive, send) -> None:
        while True:
            message = await receive()
            got.append(message)
            if message["type"] == "http.disconnect":
                return
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                return

    scope = {"type": "http", "headers": headers}
    asyncio.run(NotLongerThan(application, 2_000_000)(scope, receive, send))
    return sent, got


def test_a_length_that_is_too_much_is_refused_at_once():
    sent, got = ask(b"x", told=2_000_001)

    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["code"] == "too-large-file"
    assert got == []


def test_a_body_that_does_not_tell_its_length_is_cut_off():
    sent, got = ask(b"x" * 1_500_000, b"x" * 500_001, told=None)

    assert [message["type"] for message in got] == ["http.request", "http.disconnect"]
    assert sent == []


def test_a_body_within_the_limit_passes():
    sent, got = ask(b"x" * 1_500_000, b"x" * 500_000, told=2_000_000)

    assert sent[0]["status"] == 200
    assert len(got) == 2
