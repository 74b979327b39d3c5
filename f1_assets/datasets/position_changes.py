"""Position changes: which two cars changed places on which lap of a race, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field, NotCheckableError, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import RACES

REASONS = ("start", "track", "pit", "retirement", "neutralised", "red_flag", "penalty")

NEUTRALISED_SHARE = 0.5
"""A place that is won on a lap of which this share was under safety cars is not won on the track."""


@dataclass(frozen=True)
class _Swap:
    """Two cars that changed places; `lap` is that of their race, `place` the winner's then."""

    gained_by: str
    lost_by: str
    lap: int
    place: int
    is_after_the_flag: bool = False


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the swaps of every lap, those of the start and of the classification among them."""
    results = _with_numbers(inputs.get("results"))
    places = _places(inputs["laps"], results)
    if places.empty:
        return pd.DataFrame()
    orders = _orders(places, results)
    last_lap = int(places["lap_number"].max())
    swaps = [swap for before, lap in pairwise(orders) for swap in _swaps(orders[before], orders[lap], lap)]
    after_the_flag = _swaps(orders[last_lap], _classified(orders[last_lap], results), last_lap, True)
    reasons = _Reasons(inputs, places, results, min((swap.lap for swap in swaps), default=1))
    return pd.DataFrame(
        {
            "gained_by": swap.gained_by,
            "lost_by": swap.lost_by,
            "lap_number": swap.lap,
            "position": swap.place,
            "reason": reasons.of(swap),
        }
        for swap in [*swaps, *after_the_flag]
    )


def _with_numbers(results: pd.DataFrame | None) -> pd.DataFrame | None:
    if results is None:
        return None
    return results.dropna(subset=["driver_number"]).drop_duplicates("driver_number").set_index("driver_number")


def _places(laps: pd.DataFrame, results: pd.DataFrame | None) -> pd.DataFrame:
    """Return who was where at the line: of laps that the result counts, where there is one."""
    is_seen = laps["position"].notna() & ~laps["fastf1_generated"].fillna(False)
    if results is not None:
        is_seen &= (laps["lap_number"] <= laps["driver_number"].map(results["laps"])).fillna(True)
    return laps.loc[is_seen, ["driver_number", "lap_number", "position"]].astype({"position": int, "lap_number": int})


def _orders(places: pd.DataFrame, results: pd.DataFrame | None) -> dict[int, list[str]]:
    """Return the order of all cars at the end of each lap; that of lap 0 is the grid, where it is known."""
    cars = list(dict.fromkeys([*places["driver_number"], *([] if results is None else results.index)]))
    by_car: dict[str, dict[int, int]] = {}
    for car, lap, place in places[["driver_number", "lap_number", "position"]].itertuples(index=False, name=None):
        by_car.setdefault(car, {})[lap] = place
    first = _order_at(1, cars, by_car)
    grid = _on_the_grid(first, results)
    orders = {} if grid is None else {0: grid}
    before = first if grid is None else grid
    for lap in range(1, int(places["lap_number"].max()) + 1):
        before = orders[lap] = _order_at(lap, before, by_car)
    return orders


def _order_at(lap: int, before: Sequence[str], by_car: dict[str, dict[int, int]]) -> list[str]:
    """Return the order at the end of a lap: by place, then who stopped, by laps completed and the last place.

    A car whose lap is missing, and that goes on later, stands where it has to change places with the fewest others.
    """
    known = [car for car in before if lap in by_car.get(car, {})]
    known.sort(key=lambda car: by_car[car][lap])
    stopped = [car for car in before if max(by_car.get(car, {0: 0})) < lap]
    last = {car: max(by_car.get(car, {0: 0}).items()) for car in stopped}
    stopped.sort(key=lambda car: (-last[car][0], last[car][1]))
    return _with_others(known, [car for car in before if car not in {*known, *stopped}], before) + stopped


def _with_others(known: Sequence[str], others: Sequence[str], before: Sequence[str]) -> list[str]:
    """Put each of the others among cars whose order is known, where the fewest pairs differ from the order before."""
    order, rank = list(known), {car: place for place, car in enumerate(before)}
    for car in others:
        # How many pairs differ when it stands before all, and then one place further back each.
        costs = [sum(rank[other] < rank[car] for other in order)]
        for other in order:
            costs.append(costs[-1] + (1 if rank[other] > rank[car] else -1))
        order.insert(costs.index(min(costs)), car)
    return order


def _on_the_grid(first: Sequence[str], results: pd.DataFrame | None) -> list[str] | None:
    """Return the grid, then who started from the pit lane; those keep the order of lap 1, as who has no place does."""
    if results is None or results["grid_position"].isna().all():
        return None
    grid = results["grid_position"].dropna().to_dict()
    known = sorted((car for car in first if car in grid), key=lambda car: (grid[car] == 0, grid[car]))
    return _with_others(known, [car for car in first if car not in grid], first)


def _classified(last: Sequence[str], results: pd.DataFrame | None) -> list[str]:
    """Return the order of the result; who has no place in it keeps that of the last lap."""
    placed = {} if results is None else results["position"].dropna().to_dict()
    known = sorted((car for car in last if car in placed), key=lambda car: placed[car])
    return _with_others(known, [car for car in last if car not in placed], last)


def _swaps(before: Sequence[str], after: Sequence[str], lap: int, is_after_the_flag: bool = False) -> Iterator[_Swap]:
    """Yield the pairs that stand the other way round."""
    rank = {car: place for place, car in enumerate(before)}
    for (place, ahead), (_, behind) in combinations(enumerate(after, 1), 2):
        if rank[ahead] > rank[behind]:
            yield _Swap(ahead, behind, lap, place, is_after_the_flag)


class _Reasons:
    """What is known of the laps on which places were swapped.

    Parameters
    ----------
    inputs, places, results
        The session's rows, and those that count.
    first_moved
        The first lap on which anybody changed places.
    """

    def __init__(self, inputs: Inputs, places: pd.DataFrame, results: pd.DataFrame | None, first_moved: int) -> None:
        context = inputs["lap_context"]
        at_the_pits = context[(context["is_in_lap"] | context["is_out_lap"]).fillna(False)]
        self._at_the_pits = set(zip(at_the_pits["driver_number"], at_the_pits["lap_number"], strict=True))
        laps = inputs["laps"].merge(context[["driver_number", "lap_number", "neutralised_ms"]])
        times = ["lap_start_time_ms", "session_time_ms", "neutralised_ms"]
        is_timed = laps[times[:2]].notna().all(axis=1)
        rows = laps.loc[is_timed, ["driver_number", "lap_number", *times]].itertuples(index=False, name=None)
        self._laps = {(car, lap): (begin, end, neutralised) for car, lap, begin, end, neutralised in rows}
        last = places.groupby("driver_number")["lap_number"].max()
        self._last = {str(car): int(lap) for car, lap in last.items()}
        words = {} if results is None else results["classified_position"].dropna().to_dict()
        self._retired = {car for car, word in words.items() if not word.isdigit() and word not in ("D", "E")}
        neutralisations = inputs.get("neutralisations")
        self._is_known = neutralisations is not None
        red = None if neutralisations is None else neutralisations[neutralisations["kind"] == "red"]
        self._red = [] if red is None else [*zip(red["start_ms"], red["end_ms"], strict=True)]
        # A first lap that is stopped may have the places of the grid: the start is then on a later lap.
        self._start = first_moved if any(self._is_red(car, 1) for car in self._last) else 1

    def of(self, swap: _Swap) -> str | None:
        """Return the reason of a swap; None where it is not known whether the race was neutralised."""
        pair = (swap.gained_by, swap.lost_by)
        if swap.is_after_the_flag:
            return "retirement" if swap.lost_by in self._retired else "penalty"
        if self._last.get(swap.lost_by, 0) < swap.lap:
            return "retirement"
        if swap.lap == self._start:
            return "start"
        if any(self._is_red(car, swap.lap) for car in pair):
            return "red_flag"
        if any((car, lap) in self._at_the_pits for car in pair for lap in (swap.lap - 1, swap.lap)):
            return "pit"
        if not self._is_known:
            return None
        return "neutralised" if self._is_neutralised(swap) else "track"

    def _is_red(self, car: str, lap: int) -> bool:
        """Check whether a red flag was shown during a lap of a car."""
        if (car, lap) not in self._laps:
            return False
        begin, end, _ = self._laps[car, lap]
        return any(start < end and (pd.isna(until) or until > begin) for start, until in self._red)

    def _is_neutralised(self, swap: _Swap) -> bool:
        if (swap.gained_by, swap.lap) not in self._laps:
            return False
        begin, end, neutralised = self._laps[swap.gained_by, swap.lap]
        return bool(pd.notna(neutralised) and neutralised >= NEUTRALISED_SHARE * (end - begin))


def _one_way_twice(frame: pd.DataFrame) -> pd.DataFrame:
    """Return swaps of a pair in which the same car passes that passed before, or of a car with itself."""
    ordered = frame.sort_values("lap_number", kind="stable")
    pairs = pd.Series(
        [tuple(sorted(pair)) for pair in ordered[["gained_by", "lost_by"]].itertuples(index=False)],
        ordered.index,
        dtype=object,
    )
    # What the classification takes back of the last lap leaves the pair as it was.
    is_undone = ordered.assign(pair=pairs).duplicated(["pair", "lap_number"], keep=False)
    ordered, pairs = ordered[~is_undone], pairs[~is_undone]
    again = ordered["gained_by"] == ordered.groupby(pairs)["gained_by"].shift()
    return ordered[again.fillna(False) | (ordered["gained_by"] == ordered["lost_by"])]


def _other_net_changes(frame: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return swaps of cars whose gains and losses do not lead from the grid to the place in the result."""
    numbered = results.dropna(subset=["driver_number", "grid_position", "position"]).set_index("driver_number")
    involved = {*frame["gained_by"], *frame["lost_by"]}
    if not involved <= {*numbered.index}:
        raise NotCheckableError("results: grid and place of a car that changed places are not known")
    on_grid = numbered[numbered["grid_position"] > 0]
    won = frame["gained_by"].value_counts().reindex(on_grid.index, fill_value=0)
    won -= frame["lost_by"].value_counts().reindex(on_grid.index, fill_value=0)
    expected = on_grid["grid_position"].rank() - numbered["position"].rank().reindex(on_grid.index)
    odd = on_grid.index[won != expected]
    return frame[frame["gained_by"].isin(odd) | frame["lost_by"].isin(odd)]


DATASET = Dataset(
    name="position_changes",
    row="pair of cars that changed places on a lap of a race or sprint",
    description=(
        "From the order at the line at the end of each lap, in which each car has a place: those that complete the lap "
        "by `laps.position`, then the others by laps completed and their last place. Before lap 1 it is the grid, with "
        "who starts from the pit lane last. Where a lap of a car is missing and it goes on later, it stays where the "
        "fewest pairs change. Laps that the result does not count are left out. After the last lap comes the "
        "classification. So a car's gains less its losses are its places from the grid to the result. Two swaps within "
        "a lap are none. `reason` is the first of these that fits: penalty, after the flag, or retirement, when the "
        "car that lost is not classified; retirement: it did not complete the lap; start: on lap 1, or, where a red "
        "flag stopped that and nobody moved, on the first lap on which somebody did; red_flag: one was out during the "
        "lap of either car; pit: one of both came into the pits or left them on this lap or the one before; "
        f"neutralised: at least {NEUTRALISED_SHARE:.0%} of the lap of the car that gained was under a safety car, a "
        "virtual one too; track. Without `neutralisations` the last two are NULL."
    ),
    key=("lap_number", "gained_by", "lost_by"),
    columns=(
        Field("lap_number", "integer", "Lap at the end of which it is so; of the classification the last one"),
        Field("gained_by", "text", "Car number of the one that is now ahead"),
        Field("lost_by", "text", "Car number of the one that was ahead before"),
        Field("position", "integer", "Place of the one that gained, then, in the order of all cars"),
        Field("reason", "text", ", ".join(REASONS), values=REASONS),
    ),
    compute=compute,
    inputs=("laps", "lap_context"),
    optional_inputs=("results", "neutralisations"),
    sessions=RACES,
    checks=(
        Check(
            "a_pair_swaps_to_and_fro",
            "Of two cars, the one that lost a place is the next to gain it from the other.",
            _one_way_twice,
            Severity.ERROR,
            columns=("reason",),
        ),
        Check(
            "swaps_sum_to_net_changes",
            "The gains of a car less its losses are its places from the grid to the result.",
            _other_net_changes,
            Severity.ERROR,
            beside=("results",),
            columns=("reason",),
        ),
    ),
)
