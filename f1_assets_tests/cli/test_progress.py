"""Progress on the terminal while an import works."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from f1_assets.cli import progress
from f1_assets.cli.progress import ProgressWatcher
from f1_assets.errors import QuotaExhausted
from f1_assets.fetch.estimates import RequestCost
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.keys import SessionKey
from f1_assets.planning import ProcessingPlan, SessionGap
from f1_assets.planning.plan import PlannedSession

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = SessionKey(2025, 1, "R")
GAP = SessionGap(KEY, ("laps",))


def test_a_pause_is_printed_once_although_its_end_moves(capsys):
    with ProgressWatcher() as watcher:
        for second in range(3):
            watcher.paused("2025-01-R", QuotaExhausted(f"It is back at 12:00:0{second} UTC."), 60.0 - second)
        watcher.paused("2025-01-Q", QuotaExhausted("It is back at 13:00:00 UTC."), 60.0)
    printed = capsys.readouterr().err
    assert printed.count("Paused before 2025-01-R") == 1
    assert printed.count("Paused before 2025-01-Q") == 1


def test_a_terminal_shows_the_time_that_the_plan_leaves(monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    screen = io.StringIO()
    monkeypatch.setattr(progress, "err", lambda: Console(file=screen, force_terminal=True, width=200, highlight=False))
    planned = PlannedSession(KEY, "", ("laps",), RequestCost(), NOW, NOW + timedelta(hours=2), after_pause=1)
    with ProgressWatcher(lambda: ProcessingPlan(NOW, (planned,), (), (), RequestCost())) as watcher:
        watcher.began([GAP])
        watcher._progress.refresh()
        assert "about 2 h left" in screen.getvalue() or "about 1 h 59 min left" in screen.getvalue()
        watcher.ended(SessionRun(SessionOutcome(KEY, (), 0, 0, 1.0), warning="2025-01-R: all is stored, but ..."))
        watcher._progress.refresh()
    assert "about 0 s left" in screen.getvalue()
    assert "2025-01-R: all is stored, but ..." in screen.getvalue()
