"""`connect()` for people: typed rows by session, round, season, event or driver, and why something is not there.

It reads alone. The library works on a `Warehouse`, which can be written and gives an empty frame for what is not there.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from f1_assets import connection
from f1_assets.analysis.driver_names import columns_for_names, with_names
from f1_assets.analysis.drivers_meant import Drivers, drivers_meant
from f1_assets.analysis.frames import frame_of
from f1_assets.analysis.overview import calendar_of, overview
from f1_assets.analysis.selection import Asked, is_season, listed, seasons_meant, sessions_meant
from f1_assets.analysis.stored_rows import Source, read_rows, source_named, stored_keys
from f1_assets.datasets import Dataset, all_datasets, every_dataset
from f1_assets.datasets.documentation import documentation
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.planning.absences import Absence, NotStored, absences_of
from f1_assets.settings import Settings
from f1_assets.warehouse import Status, Warehouse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MISSING = "missing"
"""Where a frame (`attrs`) or a table (metadata of its schema) says what is not there of what was asked for."""


class MissingDataWarning(UserWarning):
    """Some of what was asked for is not there; the frame's ``attrs["missing"]`` says what and why."""


class Reader:
    """A warehouse to be read: each dataset is a method, such as ``laps("2024-12-R")``.

    Parameters
    ----------
    warehouse
        Whose rows are read; what the library's own functions take.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def __repr__(self) -> str:
        """Return where it is, which seasons, how many sessions and which datasets it has."""
        return overview(self.warehouse)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.warehouse.close()

    def rows(
        self,
        dataset: Dataset | str,
        what: Asked,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
        driver: Drivers | None = None,
        with_drivers: bool = False,
    ) -> pd.DataFrame:
        """Return the rows of a dataset, or of a view, session by session.

        Parameters
        ----------
        dataset
            Its name: ``laps``.
        what
            A session ``"2024-12-R"``, a round ``"2024-12"``, a season ``2024``, its races ``"2024-R"``, an event
            ``"2024 Monza"`` or a session of it ``"2024 Monza Q"``, or a list of these. Of what is computed over a
            season, the season.
        limit
            How many rows at most.
        columns
            These alone.
        driver
            Letters, car number, last name or identifier: ``"VER"``, ``1``, or a list of these.
        with_drivers
            Whether to add who the car numbers are, at the end: `abbreviation` and `team_name` for `driver_number`,
            ``overtaken_abbreviation`` for ``overtaken``, and so on; NULL where the session's `drivers` are not stored.

        Returns
        -------
        pandas.DataFrame
            The columns of the data dictionary in types that do not depend on the values, see
            `f1_assets.analysis.frames`. Where some of the sessions do not have the dataset, ``attrs["missing"]`` says
            why, and a `MissingDataWarning` is given; without those that cannot have it, such as practice has no result.

        Raises
        ------
        NotStored
            When nothing at all of it is stored: why, and what to do. No row of what is stored is no error.
        UsageError
            When there is no such dataset, session, event, driver or column; it lists which there are.
        """
        return self._frame(dataset, what, limit, columns, driver, with_drivers)

    def arrow(
        self,
        dataset: Dataset | str,
        what: Asked,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
        driver: Drivers | None = None,
        with_drivers: bool = False,
    ) -> pa.Table:
        """Return the same as `rows`, as an Arrow table, which ``polars.from_arrow`` takes.

        What is missing is in the metadata of its schema, as JSON.
        """
        table, absences = self._read(dataset, what, limit, columns, driver, with_drivers)
        _warn(absences)
        return table.replace_schema_metadata({MISSING: json.dumps(_documents(absences))} if absences else None)

    def telemetry(
        self,
        what: SessionKey | str,
        driver: str | int,
        lap: int | str | Iterable[int] | None = "fastest",
        stint: int | None = None,
    ) -> pd.DataFrame:
        """Return the joined car and position samples of laps.

        Parameters
        ----------
        what
            The session: ``2024-03-Q``, ``2024 Monza Q``.
        driver
            Three letters, car number or last name: ``VER``, ``1``.
        lap
            Number of the lap, or several; ``fastest`` for the driver's fastest that was not deleted; None for the
            whole session.
        stint
            All laps of a stint of ``stints``, instead of `lap`.

        Returns
        -------
        pandas.DataFrame
            `driver`, `driver_number`, `lap_number`, `compound`, `utc`, then those of
            `f1_assets.datasets.lap_telemetry.lap_telemetry`: `session_time_ms`, `time_ms` (since the lap began),
            `source`, `distance_m`, `relative_distance`, and the channels of both feeds. Each lap begins and ends with a
            row of its own. Of the whole session, time and distance are since its first sample, and what is outside of
            the laps has no `lap_number`.

        Raises
        ------
        NotStored
            When the session's telemetry, laps or drivers are not stored: why, and what to do.
        UsageError
            When there is no such driver, lap or stint.
        """
        from f1_assets.analysis.telemetry import telemetry

        keys = sessions_meant(self.warehouse, what).keys
        if len(keys) > 1:
            raise UsageError(f"{str(what)[:60]!r} has {len(keys)} sessions. Name one, such as {keys[-1]}.")
        for name in (
            "drivers",
            "laps",
            "car_telemetry",
            "position_telemetry",
            *(["stints"] if stint is not None else []),
        ):
            self._absences(all_datasets()[name], keys)
        return telemetry(self.warehouse, keys[0], driver, lap, stint)

    def compare(
        self,
        what: SessionKey | str,
        driver: str | int,
        other: str | int,
        lap: int | str = "fastest",
        other_lap: int | str | None = None,
    ) -> pd.DataFrame:
        """Return two laps of a session side by side, aligned by the share of the lap that is driven.

        Parameters
        ----------
        what, driver, lap
            The first lap, as in `telemetry`.
        other, other_lap
            The second one: of another driver, or of the same; the same `lap` by default.

        Returns
        -------
        pandas.DataFrame
            See `f1_assets.analysis.lap_comparison.compared`: `delta_ms` above 0 says that the second is behind.

        Raises
        ------
        NotStored, UsageError
            As `telemetry`.
        """
        from f1_assets.analysis.lap_comparison import compared

        first = self.telemetry(what, driver, lap)
        return compared(first, self.telemetry(what, other, lap if other_lap is None else other_lap))

    def sql(self, query: str, seasons: Iterable[int] | None = None) -> pd.DataFrame:
        """Run a query in DuckDB over the tables of the warehouse and the files of the lake.

        Parameters
        ----------
        query
            One statement that only reads, as DuckDB reads SQL: ``SELECT``, ``PIVOT``, ``SHOW TABLES``, ``DESCRIBE``.
            Every dataset is a table of its name, wherever its rows are kept.
        seasons
            Look only at these; a table is read whole otherwise.

        Returns
        -------
        pandas.DataFrame
            In the types of `rows`, also where all of a column is NULL.

        Raises
        ------
        UsageError
            When the query cannot be read, would do more than read, names a table that does not exist, or fails.
        ConfigurationError
            When a file of the lake cannot be read.
        """
        from f1_assets.analysis.sql import sql

        return sql(self.warehouse, query, seasons)

    def calendar(self, season: int | str | Iterable[int | str]) -> pd.DataFrame:
        """Return the sessions of a season, or of several, a row each, in the order of their start.

        Parameters
        ----------
        season
            ``2024``, or a list of seasons.

        Returns
        -------
        pandas.DataFrame
            `season`, `round` (0 for tests), `session`, `event_name`, `session_name`, `location`, `country`,
            `circuit_name`, `format`, `start_utc`, `end_utc`, `end_is_estimated`. Cancelled events have no sessions;
            they are in the table ``events``.

        Raises
        ------
        UsageError
            When the calendar of a season is not stored.
        """
        keys = seasons_meant(self.warehouse, listed(season), "The calendar").keys
        return frame_of(calendar_of(self.warehouse, [key.season for key in keys]))

    def standings(
        self, season: int | str, of: Literal["drivers", "constructors"] = "drivers", after: int | None = None
    ) -> pd.DataFrame:
        """Return the championship of a season after a race.

        Parameters
        ----------
        season
            ``2024``.
        of
            ``drivers`` or ``constructors``.
        after
            The round of the race; the last race whose standings are stored by default. Races after it that have no
            standings yet but should have are in ``attrs["missing"]``.

        Returns
        -------
        pandas.DataFrame
            Rows of ``driver_standings`` or ``constructor_standings``, in the order of the places.

        Raises
        ------
        NotStored
            When no standings are stored: why, and what to do.
        UsageError
            When there is no such season or round, or no such championship.
        """
        names = {"drivers": "driver_standings", "constructors": "constructor_standings"}
        if of not in names:
            raise UsageError(f"There is no championship of {str(of)[:60]!r}. There are: {', '.join(names)}.")
        dataset = all_datasets()[names[of]]
        (key,) = seasons_meant(self.warehouse, [season], "The championship").keys
        if after is not None:
            return self._frame(dataset, [SessionKey(key.season, after, "R")])
        races = [each for each in sessions_meant(self.warehouse, [key.season]).keys if each.session == "R"]
        if not races:
            raise UsageError(f"The calendar of {key} has no race.")
        absences = self._absences(dataset, races)
        absent = {absence.key for absence in absences}
        last = next(race for race in reversed(races) if race not in absent)
        frame = self._frame(dataset, [last])
        later = [each for each in absences if races.index(each.key) > races.index(last) and each.status.is_gap]
        _note(frame, later)
        return frame

    def _frame(
        self,
        dataset: Dataset | str,
        what: Asked,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
        driver: Drivers | None = None,
        with_drivers: bool = False,
    ) -> pd.DataFrame:
        table, absences = self._read(dataset, what, limit, columns, driver, with_drivers)
        frame = frame_of(table)
        _note(frame, absences)
        return frame

    def _read(
        self,
        dataset: Dataset | str,
        what: Asked,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
        driver: Drivers | None = None,
        with_drivers: bool = False,
    ) -> tuple[pa.Table, list[Absence]]:
        """Return the rows, and what is not there of what could be."""
        source = source_named(self.warehouse, dataset if isinstance(dataset, str) else dataset.name)
        wanted, asked = source.columns(columns), listed(what)
        for_names = columns_for_names(source.name, source.schema.names) if with_drivers else []
        if source.is_in_lake and is_season(asked):
            raise UsageError(
                f"{source.name} of a season is too much for a frame. Name a session or a round, or query it with SQL."
            )
        if source.is_of_seasons:
            meant = seasons_meant(self.warehouse, asked, source.name)
        else:
            meant = sessions_meant(self.warehouse, asked)
        absences = self._absences(source.dataset, self._looked_at(source, meant.keys))
        absent = {absence.key for absence in absences}
        keys = [key for key in meant.keys if key not in absent]
        ids = None
        if driver is not None:
            ids = drivers_meant(self.warehouse, source.name, source.schema.names, source.dataset, keys, driver)
        unwanted = [name for name in for_names if name not in wanted]
        table = read_rows(self.warehouse, source, keys, [*wanted, *unwanted], ids, limit)
        if with_drivers:
            table = with_names(self.warehouse, table, keys).drop_columns(unwanted)
        can_be = [each for each in absences if each.status is not Status.NOT_APPLICABLE or each.key in meant.named]
        return table, can_be

    def _looked_at(self, source: Source, keys: Sequence[SessionKey]) -> Sequence[SessionKey]:
        """Return the sessions or seasons of which the rows are extracted: a view of a season is of its sessions."""
        if source.is_of_seasons and source.dataset.per == "session":
            return sessions_meant(self.warehouse, [key.season for key in keys]).keys
        return keys

    def _absences(self, dataset: Dataset, keys: Sequence[SessionKey]) -> list[Absence]:
        """Return why the dataset is not stored of some of these; `NotStored` where it is of none."""
        stored = stored_keys(self.warehouse, dataset, keys)
        lacking = [key for key in keys if key not in stored]
        absences = absences_of(self.warehouse, dataset, lacking) if lacking else []
        if absences and len(absences) == len(keys):
            raise NotStored(absences)
        return absences

    if TYPE_CHECKING:  # the methods of datasets are made below

        def __getattr__(self, name: str) -> Callable[..., pd.DataFrame]: ...


def _note(frame: pd.DataFrame, absences: Sequence[Absence]) -> None:
    """Note in a frame what is missing, and warn once of all of it."""
    if absences:
        frame.attrs[MISSING] = {**frame.attrs.get(MISSING, {}), **_documents(absences)}
    _warn(absences, stacklevel=5)


def _warn(absences: Sequence[Absence], stacklevel: int = 3) -> None:
    """Warn once of all that is missing; what is upcoming is not."""
    due = [absence for absence in absences if absence.status is not Status.UPCOMING]
    if due:
        number = f'{len(due)} are missing, see attrs["{MISSING}"]; the first: ' if len(due) > 1 else ""
        warnings.warn(f"{number}{due[0]}", MissingDataWarning, stacklevel=stacklevel)


def _documents(absences: Iterable[Absence]) -> dict[str, Mapping[str, str]]:
    return {
        str(absence.key): {"status": str(absence.status), "reason": absence.reason, "advice": absence.advice}
        for absence in absences
    }


def _method_of(dataset: Dataset) -> Callable[..., pd.DataFrame]:
    def rows(
        self: Reader,
        what: Asked,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
        driver: Drivers | None = None,
        with_drivers: bool = False,
    ) -> pd.DataFrame:
        return self._frame(dataset, what, limit, columns, driver, with_drivers)

    rows.__name__, rows.__qualname__ = dataset.name, f"{Reader.__name__}.{dataset.name}"
    rows.__doc__ = documentation(dataset)
    return rows


for _dataset in every_dataset().values():
    if hasattr(Reader, _dataset.name):
        raise TypeError(f"a dataset cannot be called {_dataset.name}: connect() has a method of this name")
    setattr(Reader, _dataset.name, _method_of(_dataset))


def connect(settings: Settings | None = None) -> Reader:
    """Open the warehouse that the settings name, to read it; an embedded one is created and upgraded by itself.

    Parameters
    ----------
    settings
        Those of the environment by default.

    Raises
    ------
    ConfigurationError
        When the database cannot be reached, is of a newer version, or needs ``f1-assets db upgrade``.
    """
    return Reader(connection.connect(settings))
