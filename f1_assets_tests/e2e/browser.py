"""A browser, what happens in it that nobody sees, and a season for it to show."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from sqlalchemy import insert, update

from f1_assets.connection import F1Warehouse, connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.process import transport_for
from f1_assets.importing import process_session_gap
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.models import session_claims
from f1_assets_tests.board.board import HOSTILE, fill, settings_for
from f1_assets_tests.conftest import PLENTY

PATIENCE_MS = 60_000
"""A machine that is busy takes long to draw; what does not come at all fails a little later."""

expect.set_options(timeout=PATIENCE_MS)

NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)
"""After the second of three weekends, which is the one with a sprint."""

SEASON = "races=3,tests=1,sprints=1,laps=8,drivers=6,samples_every=10"
RACE, WAITING, RUNNING = SessionKey(2025, 2, "R"), SessionKey(2025, 2, "SQ"), SessionKey(2025, 2, "FP1")
HOSTILE_IMAGE = '"><img src=/stolen onerror=alert(2)>'
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def home_with_all_there_is(folders: pytest.TempPathFactory) -> Path:
    """Return a home of one's own with a season that has some of everything.

    The first test process that needs one makes it; the others, and other files of tests, copy that.
    """
    of_run = folders.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        of_run = of_run.parent
    made = of_run / "all there is"
    with FileLock(of_run / "all there is.lock"):
        if not made.exists():
            begun = folders.mktemp("begun") / "home"
            _fill_with_all_there_is(begun)
            begun.rename(made)
    return shutil.copytree(made, folders.mktemp("copied") / "home")


def _fill_with_all_there_is(home: Path) -> None:
    """Make a season that has some of everything, and names that would do harm if they were markup."""
    settings = settings_for(home, simulator=SEASON, quota=PLENTY)
    fill(settings)
    warehouse, transport = connect(settings), transport_for(settings)
    process_session_gap(SessionGap(RACE, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    later = {"tried_at": NOW, "next_try_at": NOW + timedelta(minutes=30)}
    for dataset, status, reason, error_class in (
        ("weather", Status.FAILED, "WeatherData failed: HTTP 503", "TransientError"),
        ("team_radio", Status.UNAVAILABLE, "TeamRadio: HTTP 404", "Unavailable"),
    ):
        warehouse.note(Extraction(WAITING, dataset, status, reason=reason, error_class=error_class, **later))
    _name_and_lease(warehouse)
    warehouse.close()


def _name_and_lease(warehouse: F1Warehouse) -> None:
    drivers = all_datasets()["drivers"].table
    running = {"season": 2025, "round": 2, "session": RUNNING.session, "owner": "x"}
    with warehouse.engine.begin() as connection:
        first = connection.execute(drivers.select().where(drivers.c.session == "R")).mappings().first()
        named = update(drivers).where(drivers.c.session == "R", drivers.c.driver_number == first["driver_number"])
        connection.execute(named.values(abbreviation="<b>", full_name=HOSTILE_IMAGE, team_name=HOSTILE))
        connection.execute(insert(session_claims).values(**running, expires_at=NOW + timedelta(minutes=1)))


@contextlib.contextmanager
def installed_chromium() -> Iterator[Browser]:
    """Start the browser that is installed, Debian's or Playwright's own; skip where there is none, but not in CI."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser") or playwright.chromium.executable_path
        if not Path(found).exists():
            what = "no Chromium is installed; install it: apt-get install chromium, or playwright install chromium"
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


def bring_into_view(locator: Locator) -> None:
    """Scroll to an element at once: Playwright's own way waits for frames, of which a busy machine may draw few."""
    locator.evaluate("element => element.scrollIntoView({block: 'center', behavior: 'instant'})")


@dataclass
class Look:
    """A page, and what happened in it that nobody sees."""

    page: Page
    asked: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self._trouble(message.type, message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("requestfailed", lambda request: self.troubles.append(f"not loaded: {request.url}"))
        self.page.on("dialog", lambda dialog: (self.troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _trouble(self, level, text):
        if level in ("error", "warning"):
            self.troubles.append(f"console: {text}")

    def focused(self, what="e => e.getAttribute('aria-label')"):
        return self.page.evaluate(f"({what})(document.activeElement)")
