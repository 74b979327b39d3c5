"""How fast a car is: lap and sector times from the car, the driver, fuel, tyres and rain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from f1_assets.simulator.calendar import Place
from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.model import Tyres

SLICKS = ("SOFT", "MEDIUM", "HARD")
_COMPOUND_S = {"SOFT": 0.0, "MEDIUM": 0.45, "HARD": 0.85, "INTERMEDIATE": 5.5}
_WEAR_S_PER_LAP = {"SOFT": 0.085, "MEDIUM": 0.05, "HARD": 0.032, "INTERMEDIATE": 0.03}
_FUEL_S_PER_LAP = 0.032
_SLICKS_IN_RAIN_S = 11.0
SECTOR_SHARES = (0.31, 0.4, 0.29)
TRAP_SPEEDS_KMH = (284, 262, 291, 318)


@dataclass(frozen=True)
class Pace:
    """The pace of one car at one place."""

    place: Place
    driver: Driver
    rng: np.random.Generator

    def lap_ms(self, tyres: Tyres, laps_on_tyres: int, laps_of_fuel: int, raining: bool) -> int:
        """Return the time of a clean lap in milliseconds."""
        seconds = (
            self.place.lap_s
            + self.driver.team.pace_s
            + self.driver.pace_s
            + _COMPOUND_S[tyres.compound]
            + _WEAR_S_PER_LAP[tyres.compound] * (tyres.age_laps + laps_on_tyres)
            + _FUEL_S_PER_LAP * laps_of_fuel
            + (_SLICKS_IN_RAIN_S if raining and tyres.compound in SLICKS else 0.0)
            + float(self.rng.normal(0.0, 0.16))
        )
        return round(seconds * 1000)

    def sectors_ms(self, lap_ms: int) -> tuple[int, int, int]:
        """Split a lap time into sectors that sum to it exactly."""
        first = round(lap_ms * (SECTOR_SHARES[0] + float(self.rng.normal(0, 0.0012))))
        second = round(lap_ms * (SECTOR_SHARES[1] + float(self.rng.normal(0, 0.0012))))
        return first, second, lap_ms - first - second

    def speeds_kmh(self, slow: bool = False, into_pits: bool = False) -> tuple[int, int, int | None, int]:
        """Return the four speed traps: intermediates 1 and 2, finish line (not in the pit lane), longest straight."""
        level = 0.7 if slow else 1.0
        first, second, finish, straight = (int(level * usual + self.rng.normal(0, 3.0)) for usual in TRAP_SPEEDS_KMH)
        return first, second, None if into_pits else finish, straight
