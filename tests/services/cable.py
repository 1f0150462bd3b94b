"""The cable between browsers and the web process, which a test can cut.

with Cable(live.url) as cable:
    cable.cut()
    cable.join()
"""

import contextlib
import socket
import threading
from typing import Self
from urllib.parse import urlsplit

_BYTES = 65_536


class Cable:
    """Passes bytes on, both ways, while it is whole. `url` is the near end."""

    def __init__(self, url: str) -> None:
        far = urlsplit(url)
        self._far = (far.hostname, far.port)
        self._is_whole = True
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()
        self.cut()

    def cut(self) -> None:
        """Ends what is connected; who connects from now on is turned away."""
        with self._lock:
            self._is_whole = False
            ending, self._open = self._open, set()
        for end in ending:
            _end(end)

    def join(self) -> None:
        self._is_whole = True

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._door.accept()
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        with self._lock:
            if not self._is_whole:
                near.close()
                return
            far = socket.create_connection(self._far)
            self._open |= {near, far}
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_BYTES):
            target.sendall(data)
    _end(source)
    _end(target)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
