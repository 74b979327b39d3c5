"""A car in a session against the clock: it leaves its garage, drives, and comes back."""

from __future__ import annotations

from f1_assets.simulator.calendar import Place
from f1_assets.simulator.model import Lap, Tyres
from f1_assets.simulator.pace import Pace


class Garage:
    """A car and what it has driven; `back_ms` is when it was back in its garage.

    Parameters
    ----------
    pace
        The car's pace.
    """

    def __init__(self, pace: Pace) -> None:
        self.laps: list[Lap] = []
        self.back_ms = 0
        self._pace, self._stint = pace, -1
        self._timed_ms: set[int] = set()

    @property
    def place(self) -> Place:
        """Where it drives."""
        return self._pace.place

    def run(self, leave_ms: int, timed: int, tyres: Tyres, rain: tuple[int, int] | None) -> None:
        """Drive an out lap, `timed` timed laps and an in lap."""
        self._stint += 1
        # The lap in which a car leaves began when it crossed the line in the pit lane at the end of the run before.
        start = self.laps[-1].end_ms if self.laps else leave_ms - 10_000
        out_end = leave_ms + round(self.place.lap_s * 1250 + float(self._pace.rng.normal(0, 1500)))
        self._add(start, out_end, tyres, 1, pit_out_ms=leave_ms)
        for lap in range(timed):
            raining = rain is not None and rain[0] <= self.laps[-1].end_ms <= rain[1]
            duration = self._pace.lap_ms(tyres, lap + 2, 8, raining)
            while duration in self._timed_ms:
                # Race control names a lap by its time, and FastF1 deletes all that have it.
                duration += 1
            self._timed_ms.add(duration)
            self._add(self.laps[-1].end_ms, self.laps[-1].end_ms + duration, tyres, lap + 2)
        start = self.laps[-1].end_ms
        end = start + round(self.place.lap_s * 1320 + float(self._pace.rng.normal(0, 1200)))
        self._add(start, end, tyres, timed + 2, pit_in_ms=end - 6_000)
        self.back_ms = end + 15_000

    def _add(
        self,
        start: int,
        end: int,
        tyres: Tyres,
        laps_on_tyres: int,
        pit_out_ms: int | None = None,
        pit_in_ms: int | None = None,
    ) -> None:
        first, second, third = self._pace.sectors_ms(end - (start if pit_out_ms is None else pit_out_ms))
        # What passed in the garage is no sector and no lap: live timing gives no time for it, or a useless one.
        from_the_garage = pit_out_ms is not None
        self.laps.append(
            Lap(
                number=len(self.laps) + 1,
                start_ms=start,
                end_ms=end,
                sectors_ms=(None if from_the_garage else first, second, third),
                lap_time_ms=None if from_the_garage else end - start,
                stint=self._stint,
                tyres=tyres,
                laps_on_tyres=laps_on_tyres,
                speeds_kmh=self._pace.speeds_kmh(from_the_garage or pit_in_ms is not None, pit_in_ms is not None),
                pit_out_ms=pit_out_ms,
                pit_in_ms=pit_in_ms,
            )
        )
