"""A worker that is free gets its next session before the command does other work."""

import pytest

from f1_assets.defs import runs
from f1_assets.defs.runs import run_sessions
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.importing.pauses import AskAgain
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap

GAPS = [SessionGap(SessionKey(2025, 1, session), ("weather",)) for session in ("R", "Q", "FP1")]


class _Pool:
    """Workers of whom the first to start is the first to end, once somebody waits for it."""

    told = None
    losses = 0
    has_ended = False

    def __init__(self, size, lost):
        self._size, self._gaps = size, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    @property
    def is_idle(self):
        return not self._gaps

    @property
    def is_busy(self):
        return len(self._gaps) == self._size

    def start(self, gap, run):
        assert not self.is_busy
        self.told.append(f"start {gap.key.session}")
        self._gaps.append(gap)

    def ended(self, patience_seconds=None):
        if self.losses:
            self.told.append(f"killed {self._gaps[0].key.session}")
            _Pool.losses -= 1
            return
        yield SessionRun(SessionOutcome(self._gaps.pop(0).key, (), requests=0, archive_hits=0, seconds=0.0))


@pytest.fixture
def told(monkeypatch):
    told = []
    monkeypatch.setattr(_Pool, "told", told)
    monkeypatch.setattr(runs, "WorkerPool", _Pool)
    monkeypatch.setattr(runs.time, "sleep", lambda seconds: told.append("sleep"))
    return told


def _run(told, workers, reserve=lambda gap: None):
    imported = []

    def compute():
        if imported:
            told.append(f"compute {imported.pop(0)}")
            return True
        return False

    for run in run_sessions(iter(GAPS), workers, reserve, "import", compute):
        told.append(f"ended {run.outcome.key.session}")
        imported.append(run.outcome.key.session)


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        (1, "start R, ended R, start Q, compute R, ended Q, start FP1, compute Q, ended FP1, compute FP1"),
        (2, "start R, start Q, ended R, start FP1, compute R, ended Q, compute Q, ended FP1, compute FP1"),
    ],
)
def test_the_next_session_is_started_before_anything_is_computed(told, workers, expected):
    _run(told, workers)
    assert ", ".join(told) == expected


def test_a_session_whose_worker_was_killed_keeps_its_place(told, monkeypatch):
    monkeypatch.setattr(_Pool, "losses", 2)
    _run(told, 1)
    assert told[:5] == ["start R", "killed R", "killed R", "ended R", "start Q"]
    assert told[-1] == "compute FP1"


def test_what_was_imported_is_computed_while_the_quota_is_waited_for(told):
    asked = []

    def reserve(gap):
        asked.append(gap.key.session)
        if asked.count("Q") == 1 and gap.key.session == "Q":
            raise AskAgain(30.0)
        return None

    _run(told, 1, reserve)
    assert told.index("compute R") < told.index("start Q")
    assert told[-1] == "compute FP1"
