"""The shape of the made-up season, as the text of ``F1_SIMULATOR`` gives it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

_LIMITS = {
    "races": (1, 40),
    "seed": (0, 10**9),
    "sprints": (0, 40),
    "tests": (0, 3),
    "drivers": (4, 20),
    "laps": (5, 80),
    "samples_every": (1, 50),
}


@dataclass(frozen=True)
class SimulatorOptions:
    """What the made-up seasons are like.

    Parameters
    ----------
    races
        Race weekends in a season.
    seed
        Same seed, same season, to the byte.
    sprints
        Sprint weekends among them, in seasons that have sprints (from 2021).
    tests
        Pre-season tests of three days.
    drivers
        Cars on the grid.
    laps
        Laps of a race; without it, as many as make up some 90 minutes.
    samples_every
        Telemetry has one sample where the cars send so many; 1 is as real.
    """

    races: int = 24
    seed: int = 1
    sprints: int = 6
    tests: int = 1
    drivers: int = 20
    laps: int | None = None
    samples_every: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read options such as ``races=24,seed=1``; what is not given keeps its default.

        Raises
        ------
        ValueError
            When an option is unknown or given twice, or its value is no whole number within its limits.
        """
        values: dict[str, int] = {}
        known = [field.name for field in fields(cls)]
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, equals, value = (word.strip() for word in part.partition("="))
            if name not in known or not equals:
                raise ValueError(f"{part[:40]!r} is not an option; write NAME=NUMBER with {', '.join(known)}")
            if name in values:
                raise ValueError(f"the option {name} is given twice; give it once")
            low, high = _LIMITS[name]
            if not value.isascii() or not value.isdigit() or len(value) > 10 or not low <= int(value) <= high:
                raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value[:40]!r}")
            values[name] = int(value)
        return cls(**values)
