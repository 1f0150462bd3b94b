"""The web process: pages, API, websockets, and on one machine the run thread."""

import asyncio
import json
import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labelhub.settings")
os.environ["LABELHUB_PROCESS"] = "web"
# WhiteNoise streams static files from plain iterators; they are small and cached by browsers.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 models must be loaded first
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from jobs.consumers import websocket_urls  # noqa: E402
from runs.threads import worker  # noqa: E402

# What a form has around its files.
FORM_BYTES = 1_000_000
settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)


class AtMost:
    """Lets so many requests be worked on at once; the rest wait.

    A sync view takes a thread and a database connection, and ASGI puts no cap on them. A place is
    taken when the body has arrived and given back when the answer starts, so that slow uploads
    and downloads hold none.
    """

    def __init__(self, application, number: int) -> None:
        self.application = application
        self.places = asyncio.Semaphore(number)

    async def __call__(self, scope, receive, send) -> None:
        held = False

        async def receive_and_take():
            nonlocal held
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body") and not held:
                await self.places.acquire()
                held = True
            return message

        def give_back() -> None:
            nonlocal held
            if held:
                held = False
                self.places.release()

        async def send_and_give_back(message) -> None:
            if message["type"] == "http.response.start":
                give_back()
            await send(message)

        try:
            await self.application(scope, receive_and_take, send_and_give_back)
        finally:
            give_back()


class NotLongerThan:
    """Refuses a body longer than any upload may be before it fills the disk.

    Django takes in a body whole, into a file, before anything of ours sees the request. One that
    does not tell its length is cut off when it is too long.
    """

    def __init__(self, application, most: int) -> None:
        self.application = application
        self.most = most

    async def __call__(self, scope, receive, send) -> None:
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > self.most:
            await self._refuse(send)
            return
        received = 0

        async def receive_counted():
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message if received <= self.most else {"type": "http.disconnect"}

        await self.application(scope, receive_counted, send)

    async def _refuse(self, send) -> None:
        text = f"At most {self.most // 1_000_000} MB may be sent in one request."
        body = json.dumps({"code": "too-large-file", "message": text}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def lifespan(scope, receive, send) -> None:  # noqa: ARG001
    """Starts the run thread with the server and ends it with the server."""
    has_thread = settings.RUN_ENGINE == "thread"
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if has_thread:
                worker.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if has_thread:
                await asyncio.to_thread(worker.stop)
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {
        "http": NotLongerThan(
            AtMost(django_application, settings.REQUESTS_AT_ONCE),
            settings.MAX_UPLOAD_BYTES + FORM_BYTES,
        ),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urls))),
        "lifespan": lifespan,
    }
)
