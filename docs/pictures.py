"""Make the pictures of the documents anew: a simulated season, imported and served by the real commands.

Takes five to ten minutes, and a Chromium: Debian's, or the one of ``playwright install chromium``.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from f1_assets.connection import connect
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status

PICTURES = Path(__file__).parent / "pictures"
BOARD, DAGSTER = "http://127.0.0.1:8951", "http://127.0.0.1:8952"
PROGRAM = (sys.executable, "-c", "from f1_assets.cli import main; main()")
LAST = datetime.now(UTC).year - 1
NEXT = LAST + 1
MADE_UP = "races=6,sprints=2,samples_every=50"
AT_MOST_BYTES, COLOURS = 190_000, 256

IMPORTS = (
    (f"{LAST} --session Q --dataset results --dataset laps --dataset weather", MADE_UP),
    (f"{NEXT} --round 1 --session R", MADE_UP.replace("50", "12")),
    (f"{NEXT} --round 1 --round 2 --round 3", MADE_UP),
    (f"{NEXT} --round 4 --session FP1 --session Q", MADE_UP),
    (f"{NEXT} --round 5", MADE_UP),
)
"""What is imported of which season: one race with enough telemetry for a smooth map."""
RUNNING = f"{NEXT} --round 6 --session FP1 --session FP2 --session FP3 --session Q"
"""What is being imported while the first page is taken."""
TROUBLES = (
    ("SQ", "laps", "TimingData failed: HTTP 503", "TransientError"),
    ("SQ", "weather", "WeatherData failed: the answer was cut short", "TransientError"),
    ("S", "car_telemetry", "CarData.z failed: no answer within 30 s", "TransientError"),
    ("S", "team_radio", "TeamRadio is not there (HTTP 404)", "Unavailable"),
    ("R", "race_control_messages", "FastF1 cannot read RaceControlMessages", "UnreadableData"),
)
"""What goes wrong in round 4: the simulator inside the process has no faults, so they are written down."""


def main() -> None:
    """Import, serve, look."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="f1_assets_pictures_") as folder:
        os.environ |= {
            "F1_HOME": folder,
            "F1_SOURCE": "simulator",
            "F1_SIMULATOR": MADE_UP,
            "F1_QUOTA": "any=500/1h;jolpica=200/1h",
            "F1_BOARD_URL": BOARD,
            "F1_DAGSTER_URL": DAGSTER,
            "DAGSTER_DISABLE_TELEMETRY": "yes",
        }
        os.environ.pop("DAGSTER_HOME", None)
        _command(f"calendar {LAST - 1}-{NEXT + 1}")
        for what, made_up in IMPORTS:
            _command(f"import {what}", F1_SIMULATOR=made_up)
        _write_down_troubles()
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or playwright.chromium.executable_path
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            with _serving("serve --port 8951", BOARD):
                _take_board(browser)
            with _serving("ui --port 8952", DAGSTER):
                _take_dagster(browser)
            browser.close()


def _write_down_troubles() -> None:
    warehouse, now = connect(load_settings()), datetime.now(UTC)
    for session, dataset, reason, error_class in TROUBLES:
        is_absent, is_unreadable = error_class == "Unavailable", error_class == "UnreadableData"
        line = Extraction(
            SessionKey(NEXT, 4, session),
            dataset,
            Status.UNAVAILABLE if is_absent else Status.FAILED,
            reason=reason,
            error_class=error_class,
            error=f"{error_class}: {reason}",
            tried_at=now,
            next_try_at=None if is_unreadable else now + timedelta(days=30 if is_absent else 0, minutes=25),
        )
        warehouse.note(line)
    warehouse.close()


def _take_board(browser: Browser) -> None:
    season, race = f"{BOARD}/season/{NEXT}", f"{BOARD}/session/{NEXT}-01-R"
    with _started(f"import {RUNNING}") as running:
        page = _page(browser, 1280, 1000)
        page.goto(BOARD)
        while not page.locator(".pulse").count() and running.poll() is None:
            time.sleep(0.5)
            page.reload()
        _save(page, "seasons")
    views: tuple[tuple[str, str, int, int, Literal["light", "dark"]], ...] = (
        ("season", season, 1280, 1000, "light"),
        ("season-dark", season, 1280, 1000, "dark"),
        ("session", race, 1280, 1500, "light"),
        ("season-phone", season, 390, 844, "light"),
    )
    for name, address, width, height, scheme in views:
        page = _page(browser, width, height, scheme)
        page.goto(address)
        if name == "session":
            page.locator("figure.chart.drawn").nth(3).wait_for()
            page.wait_for_timeout(1000)
        if name == "season":
            page.locator(".c.s-failed").first.hover()
        if name == "season-phone":
            page.get_by_role("heading", name="Every weekend").scroll_into_view_if_needed()
            page.locator("#h-map").evaluate("heading => window.scrollTo(0, heading.offsetTop - 12)")
        _save(page, name)


def _take_dagster(browser: Browser) -> None:
    page = _page(browser, 1400, 860)
    for name, address in (
        ("dagster-asset", f"/assets/laps?view=partitions&partition={NEXT}-01-R"),
        ("dagster-runs", "/runs"),
    ):
        page.goto(DAGSTER + address)
        page.wait_for_load_state("networkidle")
        with contextlib.suppress(Exception):  # it greets who comes for the first time, as late as it likes
            page.get_by_role("button", name="Skip").click(timeout=5000)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)
        _save(page, name)


def _page(browser: Browser, width: int, height: int, scheme: str = "light") -> Page:
    return browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=1,
        color_scheme="dark" if scheme == "dark" else "light",
    )


def _save(page: Page, name: str) -> None:
    """Take what is in the window; where that is too large, in its most frequent colours alone."""
    path = PICTURES / f"{name}.png"
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    taken.save(path, optimize=True)
    if path.stat().st_size > AT_MOST_BYTES:
        counted = sorted(taken.getcolors(taken.width * taken.height), reverse=True)[:COLOURS]
        palette = Image.new("P", (1, 1))
        palette.putpalette([channel for _, colour in counted for channel in colour])
        taken.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path} {path.stat().st_size:,} bytes\n")


def _command(words: str, **environment: str) -> None:
    subprocess.run([*PROGRAM, *words.split()], env={**os.environ, **environment}, check=words.startswith("calendar"))  # noqa: S603


@contextlib.contextmanager
def _started(words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command beside; it comes to its own end."""
    with subprocess.Popen([*PROGRAM, *words.split()]) as process:  # noqa: S603
        yield process


@contextlib.contextmanager
def _serving(words: str, address: str) -> Iterator[None]:
    """Run a server, and end it with all its processes."""
    with subprocess.Popen([*PROGRAM, *words.split()], start_new_session=True) as process:  # noqa: S603
        try:
            while not _answers(address):
                if process.poll() is not None:
                    raise SystemExit(f"f1-assets {words} ended")
                time.sleep(0.5)
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=10).ok
    except requests.RequestException:
        return False


if __name__ == "__main__":
    main()
