"""How long after a key or a click the grid is painted anew, with two hundred tiles on the page.

    python -m bench.gesture [--gestures 30]

In Chromium, from the event until the task behind the frame in which its work is painted. A frame
comes every 16.7 ms whatever was done: the floor is a key that does nothing. The web process is the
real one, with photos that it imported. Target: 50 ms at most.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench import database
from bench.import_folder import make_images
from bench.web_process import free_port, running, signed_up

TILES = 200
WIDTH, HEIGHT = 1440, 900
SELECTED, LABELED = '.tile[aria-selected="true"]', '.tile[data-labels]:not([data-labels=""])'
# Milliseconds from the event, and those of them from the start of the frame.
Spent = list[float]
# Notes how long it takes from the next event of the kind.
WATCH = """kind => {
  window.painted = new Promise(done => {
    const seen = event => {
      removeEventListener(kind, seen, true);
      requestAnimationFrame(() => {
        const frame = performance.now(), behind = new MessageChannel();
        behind.port1.onmessage = () => {
          const end = performance.now();
          done([end - event.timeStamp, end - frame]);
        };
        behind.port2.postMessage(null);
      });
    };
    addEventListener(kind, seen, true);
  });
}"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gestures", type=int, default=30)
    number = parser.parse_args().gestures
    folder = database.start()
    make_images(folder / "photos", TILES, side=200)
    port = free_port()
    env = os.environ | {"LABELHUB_DATA_DIR": str(folder / "site"), "LABELHUB_PORT": str(port)}
    env["LABELHUB_IMAGE_ROOTS"] = str(folder)
    print(
        f"{database.machine()}; {TILES} tiles, {number} gestures each, "
        "ms: p50 / p95, times the floor, of it the frame (style, layout, paint)"
    )
    with running(env) as (_program, output):
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client:
            path = job_of(client, output, folder / "photos")
            measure(address, path, client.cookies["sessionid"], number)


def job_of(client: httpx.Client, output: str, photos: Path, number: int = TILES) -> str:
    """The path of a job with so many photos, made by somebody who signs up."""
    post = signed_up(client, output)
    labels = [f"label-{at:02d}" for at in range(50)]
    body = {"name": "Photos", "mode": "multi", "folder": str(photos), "labels": labels}
    job = post("/api/jobs/", body)["id"]
    while client.get(f"/api/jobs/{job}/").json()["counts"].get("state:unlabeled", 0) < number:
        time.sleep(0.2)
    return f"/jobs/{job}/?size={number}"


def measure(address: str, path: str, session: str, number: int) -> None:
    from tests.browser_pages import chromium

    with chromium() as browser:
        context = browser.new_context(
            base_url=address, viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        page = context.new_page()
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.locator(".tile").count() == TILES
        gestures = Gestures(page)
        floor = None
        for name, gesture in gestures.all().items():
            spent = [gesture(at) for at in range(number)]
            times = sorted(whole for whole, _frame in spent)
            middle, high = statistics.median(times), times[int(0.95 * (len(times) - 1))]
            frame = statistics.median(frame for _whole, frame in spent)
            floor = floor or middle
            print(
                f"{name:32} {middle:6.1f} / {high:6.1f}   {middle / floor:4.1f}   {frame:6.1f}",
                flush=True,
            )


class Gestures:
    """What is done to the page; each takes the number of its round and says what was spent."""

    def __init__(self, page) -> None:  # noqa: ANN001
        self.page = page

    def all(self) -> dict[str, Callable[[int], Spent]]:
        return {
            "a key that does nothing": lambda at: self.key("F8"),  # noqa: ARG005
            "select one by a click": self.click,
            "select all (Ctrl+A)": lambda at: self.alone(self.select_all),  # noqa: ARG005
            "a label on one": self.label_one,
            f"a label on {TILES}": lambda at: self.label_all(),  # noqa: ARG005
        }

    def painted(self, kind: str, act: Callable[[], None]) -> Spent:
        self.page.evaluate(WATCH, kind)
        act()
        return self.page.evaluate("window.painted")

    def key(self, key: str) -> Spent:
        return self.painted("keydown", lambda: self.page.keyboard.press(key))

    def number_of(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def nothing_selected(self) -> None:
        self.page.keyboard.press("Escape")
        assert self.number_of(SELECTED) == 0

    def alone(self, act: Callable[[], Spent]) -> Spent:
        self.nothing_selected()
        self.page.wait_for_timeout(50)
        return act()

    def click(self, at: int) -> Spent:
        self.nothing_selected()
        tile = self.page.locator(".tile").nth(at % 12)
        # What a click does is known when the button comes up.
        spent = self.painted("click", lambda: tile.click(position={"x": 20, "y": 20}))
        assert self.number_of(SELECTED) == 1
        return spent

    def select_all(self) -> Spent:
        self.painted("keydown", lambda: self.page.keyboard.down("Control"))
        spent = self.painted("keydown", lambda: self.page.keyboard.press("a"))
        self.page.keyboard.up("Control")
        assert self.number_of(SELECTED) == TILES
        return spent

    def label_one(self, at: int) -> Spent:
        self.click(at)
        return self.put_label(1)

    def label_all(self) -> Spent:
        self.alone(self.select_all)
        return self.put_label(TILES)

    def put_label(self, number: int) -> Spent:
        """The first label, and takes it off again."""
        before = self.number_of(LABELED)
        assert before == 0, before
        spent = self.key("1")
        assert self.number_of(LABELED) == number
        self.page.wait_for_load_state("networkidle")
        self.page.keyboard.press("1")
        self.page.locator(LABELED).first.wait_for(state="detached")
        self.page.wait_for_load_state("networkidle")
        return spent


if __name__ == "__main__":
    main()
