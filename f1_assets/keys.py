"""The name of a session: ``SessionKey(2024, 3, "Q")`` is the partition ``2024-03-Q``. Nothing else parses a key."""

import re
from dataclasses import dataclass, field
from typing import Self

from f1_assets.errors import UsageError

RACE_WEEKEND_SESSIONS = ("FP1", "FP2", "FP3", "Q", "SQ", "SS", "S", "R")
"""FastF1's own identifiers of the sessions of a race weekend."""

FIRST_SEASON = 1950
FIRST_LIVE_TIMING_SEASON = 2018

_RACE_WEEKEND = re.compile(r"(\d{4})-(\d{2})-(FP1|FP2|FP3|Q|SQ|SS|S|R)", re.ASCII)
_TEST = re.compile(r"(\d{4})-(T[1-9]-[1-9])", re.ASCII)
_TEST_DAY = re.compile(r"T[1-9]-[1-9]", re.ASCII)


@dataclass(frozen=True, order=True)
class SessionKey:
    """One session of one season.

    Parameters
    ----------
    season
        Championship year.
    round
        Number of the race weekend in its season, from 1; 0 for every pre-season test.
    session
        FastF1's identifier (``FP1 FP2 FP3 Q SQ SS S R``); for a test ``T<test>-<day>``, such as ``T1-2``.
    """

    season: int
    round: int
    session: str

    def __post_init__(self) -> None:
        """Refuse what no session can be called."""
        _refuse_no_season(self.season)
        is_test_day = _TEST_DAY.fullmatch(self.session) is not None
        if self.round == 0 and is_test_day:
            return
        if not 1 <= self.round <= 99 or self.session not in RACE_WEEKEND_SESSIONS:
            raise UsageError(
                f"No session can be called season {self.season}, round {self.round}, {_shortened(self.session)}. "
                f"Rounds go from 1 to 99 with {', '.join(RACE_WEEKEND_SESSIONS)}; tests are round 0 with T1-1, ..."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a partition key.

        Raises
        ------
        UsageError
            When `text` is not exactly of the form ``2024-03-Q`` or ``2026-T1-2``.
        """
        if match := _RACE_WEEKEND.fullmatch(text):
            return cls(int(match[1]), int(match[2]), match[3])
        if match := _TEST.fullmatch(text):
            return cls(int(match[1]), 0, match[2])
        if re.fullmatch(r"\d{4}", text, re.ASCII):
            raise UsageError(
                f"{text} is a season; name a session of it, such as {text}-01-R. f1-assets calendar {text} lists them."
            )
        meant = f" Did you mean {near}?" if (near := _near(text)) else ""
        raise UsageError(
            f"{_shortened(text)} is not a session key.{meant} A key is season, round in two digits and session, such "
            f"as 2024-03-Q (sessions: {', '.join(RACE_WEEKEND_SESSIONS)}), or 2026-T1-2 for day 2 of test 1."
        )

    @property
    def is_test(self) -> bool:
        """Check whether this is a day of pre-season testing."""
        return self.round == 0

    @property
    def event_key(self) -> str:
        """The race weekend or test that this session belongs to: ``2024-03`` or ``2026-T1``."""
        return f"{self.season}-{self.session[:2]}" if self.is_test else f"{self.season}-{self.round:02}"

    def __str__(self) -> str:
        """Return the partition key."""
        return f"{self.season}-{self.session}" if self.is_test else f"{self.season}-{self.round:02}-{self.session}"


@dataclass(frozen=True, order=True)
class SeasonKey(SessionKey):
    """A whole season, in the place of a session: the key of data that is computed over all its sessions; ``2024``.

    Parameters
    ----------
    season
        Championship year.
    """

    round: int = field(default=0, init=False)
    session: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Refuse a year that was no season."""
        _refuse_no_season(self.season)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a partition key.

        Raises
        ------
        UsageError
            When `text` is not exactly of the form ``2024``.
        """
        if not re.fullmatch(r"\d{4}", text, re.ASCII):
            raise UsageError(f"{_shortened(text)} is not a season. A season is a year, such as 2024.")
        return cls(int(text))

    @property
    def is_test(self) -> bool:
        """Check whether this is a day of pre-season testing: it is none."""
        return False

    @property
    def event_key(self) -> str:
        """No race weekend: a season has them all."""
        return ""

    def __str__(self) -> str:
        """Return the partition key."""
        return str(self.season)


def parse_key(text: str) -> SessionKey:
    """Read the key of a session or of a season: ``2024-03-Q`` or ``2024``.

    Raises
    ------
    UsageError
        When it is neither.
    """
    return SeasonKey.parse(text) if re.fullmatch(r"\d{4}", text, re.ASCII) else SessionKey.parse(text)


_NEAR = re.compile(r"\s*(\d{4})\W*R?(\d{1,2})\W*([A-Z]+(?:\W?[A-Z0-9]+)*)\s*", re.ASCII | re.IGNORECASE)
_WORDS = {
    "RACE": "R",
    "GP": "R",
    "QUALI": "Q",
    "QUALIFYING": "Q",
    "SPRINT": "S",
    "SPRINTQUALIFYING": "SQ",
    "SPRINTSHOOTOUT": "SS",
    "PRACTICE1": "FP1",
    "PRACTICE2": "FP2",
    "PRACTICE3": "FP3",
    "P1": "FP1",
    "P2": "FP2",
    "P3": "FP3",
}


def session_meant(word: str) -> str | None:
    """Return the identifier of a session that is written in another way: ``r``, ``race``, ``quali``; None for none."""
    bare = re.sub(r"[\W_]", "", word[:40].upper())
    return bare if bare in RACE_WEEKEND_SESSIONS else _WORDS.get(bare)


def _near(text: str) -> str | None:
    """Return the key that a text looks like: ``2024-3-race`` like ``2024-03-R``."""
    match = _NEAR.fullmatch(text[:60])
    session = session_meant(match[3]) if match else None
    return f"{match[1]}-{int(match[2]):02}-{session}" if match and session and int(match[2]) else None


def _refuse_no_season(year: int) -> None:
    if not FIRST_SEASON <= year <= 9999:
        raise UsageError(f"There is no Formula 1 season {year}; the first was {FIRST_SEASON}.")


def parse_seasons(text: str) -> list[int]:
    """Read ``2024``, ``2018-2026`` or ``2024,2026`` as the seasons it names, in order, each once.

    Raises
    ------
    UsageError
        When `text` names no season, or one before the first.
    """
    seasons: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})(?:\s*-\s*(\d{4}))?\s*", part, re.ASCII)
        if match is None:
            raise UsageError(f"{_shortened(text)} names no seasons. Write 2024, 2018-2026 or 2024,2026.")
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            raise UsageError(f"The seasons {_shortened(part.strip())} run backwards: write {last}-{first}.")
        if first < FIRST_SEASON or last > 2100:
            raise UsageError(f"There is no Formula 1 season {first if first < FIRST_SEASON else last}.")
        seasons.update(range(first, last + 1))
    return sorted(seasons)


def _shortened(text: str, limit: int = 60) -> str:
    return repr(text if len(text) <= limit else f"{text[:limit]}... ({len(text):,} characters)")
