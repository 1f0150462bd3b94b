"""What a browser fetches on the first visit of a job's page, without images.

    python -m bench.first_visit

Of the real web process with its collected static files: the page, and what the page and what it
loads name, as Chromium asks for it with an empty cache. Our own JavaScript is counted as it was
written (no other tool comes between), everything as it is sent, compressed.
"""

import os
from collections import defaultdict

import httpx

from bench import database
from bench.gesture import job_of
from bench.import_folder import make_images
from bench.web_process import free_port, running

IMAGES = ("image", "websocket")
# Theirs, not ours.
FOREIGN = ("/htmx/",)


def main() -> None:
    folder = database.start()
    make_images(folder / "photos", 100, side=100)
    port = free_port()
    env = os.environ | {"LABELHUB_DATA_DIR": str(folder / "site"), "LABELHUB_PORT": str(port)}
    env["LABELHUB_IMAGE_ROOTS"] = str(folder)
    with running(env) as (_program, output):
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client:
            path = job_of(client, output, folder / "photos", 100)
            asked = asked_for(address, path, client.cookies["sessionid"])
            show(client, address, asked)


def asked_for(address: str, path: str, session: str) -> dict[str, str]:
    """The addresses that the page asks for, with what each is to it."""
    from tests.browser_pages import chromium

    with chromium() as browser:
        context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        page, asked = context.new_page(), {}
        page.on("request", lambda one: asked.setdefault(one.url, one.resource_type))
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return asked


def show(client: httpx.Client, address: str, asked: dict[str, str]) -> None:
    own, number = 0, 0
    raw: dict[str, int] = defaultdict(int)
    sent: dict[str, int] = defaultdict(int)
    for url, kind in asked.items():
        if kind in IMAGES or not url.startswith(address):
            continue
        with client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
            sent[kind] += sum(len(piece) for piece in answer.iter_raw())
        raw[kind] += len(client.get(url).content)
        if kind == "script" and not any(part in url for part in FOREIGN):
            own, number = own + len(client.get(url).content), number + 1
    print(f"{database.machine()}; a page of 100 tiles and 50 labels, kB of 1,000 bytes")
    for kind in raw:
        print(f"{kind:12} {raw[kind] / 1000:7.1f} raw {sent[kind] / 1000:7.1f} sent")
    print(f"own JavaScript {own / 1000:.1f} kB raw in {number} modules")
    print(f"everything {sum(sent.values()) / 1000:.1f} kB sent, without images")


if __name__ == "__main__":
    main()
