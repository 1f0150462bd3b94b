"""Chromium for stories: a browser for each run of the tests, a context for each person."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from annotators.models import User
from tests import make, needs

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-extensions",
    "--no-first-run",
    "--disable-background-networking",
]
WAIT = 15_000  # ms for what a test expects to see, on a machine that is busy
expect.set_options(timeout=WAIT)


@contextmanager
def chromium() -> Iterator[Browser]:
    program = needs.chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program and str(program), headless=True, args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, in which Django would refuse the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium() as opened:
        yield opened


class People:
    """Opens the site for one person after the other; each has cookies and storage of their own."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.mistakes: list[str] = []
        self._contexts: list[Any] = []

    def open(
        self,
        path: str = "/",
        *,
        user: User | None = None,
        language: str = "en",
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
        touch: bool = False,
    ) -> Page:
        """A page at `path`, signed in as `user`. `language`: en or zh-hans."""
        context = self.browser.new_context(
            base_url=self.url,
            color_scheme=theme,
            locale={"en": "en-GB", "zh-hans": "zh-CN"}[language],
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            has_touch=touch,
            is_mobile=touch,
        )
        self._contexts.append(context)
        context.set_default_timeout(WAIT)
        if user is not None:
            session = make.client(user).cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": self.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.mistakes.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._note(page, message))
        page.goto(path)
        return page

    def _note(self, page: Page, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.mistakes.append(f"{page.url}: {message.text}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def people_online(browser, live) -> Iterator[People]:
    """`people_online.open("/jobs/1/", user=bob)`. A script that fails, or one that the content
    security policy stops, fails the test at its end."""
    people = People(browser, live.url)
    yield people
    people.close()
    assert people.mistakes == []
