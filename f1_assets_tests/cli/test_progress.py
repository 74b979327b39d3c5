"""Progress on the terminal while an import works."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from f1_assets.cli import progress
from f1_assets.cli.progress import ProgressWatcher, running_lines
from f1_assets.errors import QuotaExhausted
from f1_assets.fetch.estimates import RequestCost
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.keys import SessionKey
from f1_assets.planning import ProcessingPlan, SessionGap
from f1_assets.planning.plan import PlannedSession
from f1_assets.planning.running import Doing, QuotaLeft, RunningImport, SessionAtWork

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


RUNNING = RunningImport(
    made_at=NOW,
    is_running=True,
    sessions=5,
    ended=2,
    at_work=(
        SessionAtWork("2025-01-Q", "", Doing.LOADING, "loading, 9 requests", NOW - timedelta(seconds=12), 9, 0, 21),
        SessionAtWork("2025-01-R", "", Doing.STORING, "storing, 12 of 21 datasets", None, 14, 12, 21),
    ),
    began_at=NOW,
    requests=45,
    paused_before=None,
    paused_until=None,
    ends_at=NOW + timedelta(minutes=4),
    quota=(QuotaLeft("any", 380, 500, 3600, None), QuotaLeft("jolpica", 195, 200, 3600, None)),
)


def test_below_the_bar_stand_the_sessions_at_work_and_what_it_costs():
    assert [line.plain for line in running_lines(RUNNING, NOW)] == [
        "  2025-01-Q    loading, 9 requests, for 12 s",
        "  2025-01-R    storing, 12 of 21 datasets",
        "  45 requests · ends at about 00:04 UTC · left: any 380 of 500, jolpica 195 of 200",
    ]
    (*_, tomorrow) = running_lines(replace(RUNNING, ends_at=NOW + timedelta(days=1)), NOW)
    assert "ends at about 2026-01-02 00:00 UTC" in tomorrow.plain


def test_a_bar_shows_until_when_it_waits_and_what_runs_meanwhile(monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    screen = io.StringIO()
    monkeypatch.setattr(progress, "err", lambda: Console(file=screen, force_terminal=True, width=80, highlight=False))
    with ProgressWatcher(figures=lambda: RUNNING) as watcher:
        watcher._progress.refresh()
        assert "loading" not in screen.getvalue(), "nothing is shown before it begins"
        watcher.began([GAP])
        back_at = NOW.replace(hour=18, minute=4)
        watcher.paused("2025-01-Q", QuotaExhausted("The quota is spent.", retry_at=back_at), 754.0)
        watcher._progress.refresh()
    assert "paused until 18:04 UTC, for the quota, before 2025-01-Q; 12:3" in screen.getvalue()
    assert "loading, 9 requests" in screen.getvalue()
