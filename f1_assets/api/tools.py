"""The tools of AI assistants: each reads the warehouse and returns a bounded JSON document. None writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from f1_assets.analysis.driver_names import has_car_numbers
from f1_assets.analysis.overview import sessions_of_seasons
from f1_assets.analysis.selection import sessions_meant
from f1_assets.analysis.sql import sql
from f1_assets.analysis.stored_rows import Source, source_named
from f1_assets.api import race_summary as races
from f1_assets.api.bounded import MOST_ROWS, plain, table
from f1_assets.api.lap_summary import lap_summary
from f1_assets.datasets import Dataset, dataset_views, every_dataset, no_dataset
from f1_assets.errors import UsageError
from f1_assets.planning import DatasetState, dataset_states
from f1_assets.planning.absences import absence_of
from f1_assets.reader import MISSING, Reader
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import event_of, session_of
from f1_assets.warehouse.engine import shown

Answer = dict[str, Any]

INSTRUCTIONS = """A Formula 1 data warehouse, read only. Begin with list_seasons; session_status says what is stored.
A session is named by its key, 2024-12-Q (season, round, one of FP1 FP2 FP3 Q SQ SS S R), or by words: 2024 Monza Q.
describe_data lists the datasets and explains their columns: call it before rows or query_sql.
Columns that end in _ms are milliseconds; session times count from the start of the session's timing feed; times of day
are UTC. A driver is named by three letters (VER), car number or last name. null means not known.
What is not stored is not empty: the error says why, and the command that an operator runs to import it.
Results, standings and lap-1 times come from Jolpica-F1 under CC BY-NC-SA 4.0: name it where you quote them."""

CALENDAR_TABLES = ("seasons", "events", "sessions", "circuits")
"""Tables beside the datasets that a query joins with."""

SQL_TIMEOUT_SECONDS = 30
_MOST_MISSING = 10

_Session = Annotated[
    str | int, Field(description='A session by its key "2024-12-Q", or by words: "2024 Monza Q", "2024 British race".')
]
_Driver = Annotated[str | int, Field(description='Three letters, car number or last name: "VER", 1, "Verstappen".')]
_Lap = int | Literal["fastest"]
_Limit = Annotated[int, Field(ge=1, le=MOST_ROWS, description="How many rows at most.")]


class Tools:
    """The tools, each a method: its docstring and the descriptions of its parameters are what an assistant reads.

    Parameters
    ----------
    reader
        What they read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._warehouse = reader.warehouse

    def list_seasons(
        self,
        season: Annotated[
            int | None, Field(description="List the sessions of this season; all seasons without.")
        ] = None,
    ) -> Answer:
        """List the seasons of the warehouse, or the sessions of one season with their keys, in order of their start."""
        if season is not None:
            return {"season": season, **self._sessions_of(season)}
        seasons = [
            {"season": each, "sessions": number, "sessions_with_data": stored}
            for each, (number, stored) in sessions_of_seasons(self._warehouse).items()
        ]
        if not seasons:
            where = shown(self._warehouse.engine.url)
            raise UsageError(
                f"The warehouse at {where} is empty.",
                advice="Run: f1-assets import 2024. F1_HOME or F1_DATABASE_URL of this server names another one.",
            )
        return {"seasons": seasons, "next": "list_seasons with a season lists its sessions."}

    def session_status(
        self,
        session: Annotated[
            str | int,
            Field(description='A session "2024-12-Q" or "2024 Monza Q"; also a round "2024-12" or a season "2024".'),
        ],
    ) -> Answer:
        """Return what is stored of a session by dataset, and why the rest is not; of several, how many datasets.

        Statuses: present; missing (not imported yet); upcoming (the session has not ended); failed (asked for again);
        unavailable (upstream has none); not_applicable (such a session has no such data); blocked_auth (the Formula 1
        account was refused).
        """
        keys = sessions_meant(self._warehouse, session).keys
        seasons = sorted({key.season for key in keys})
        states = dataset_states(self._warehouse, seasons, key=keys[0] if len(keys) == 1 else None)
        if len(keys) == 1:
            held = session_of(self._warehouse, keys[0])
            about = {"event": event_of(self._warehouse, keys[0]).name, "name": held.name}
            times = {"start_utc": plain(held.start), "end_utc": plain(held.end)}
            return {"session": str(keys[0]), **about, **times, "datasets": [_described(state) for state in states]}
        counts = {key: Counter[str]() for key in keys}
        for state in states:
            if state.key in counts:
                counts[state.key][str(state.status)] += 1
        frame = pd.DataFrame(
            [{"session": str(key), **{str(each): count[str(each)] for each in Status}} for key, count in counts.items()]
        )
        return {"meaning": "Datasets by status.", **table(frame, MOST_ROWS, "Name one session.")}

    def describe_data(
        self,
        dataset: Annotated[
            str | None, Field(description='A dataset or view, such as "laps"; all of them without.')
        ] = None,
    ) -> Answer:
        """List the datasets with what a row of each is, or explain one dataset: every column with type and unit.

        Each dataset and view is a table of the same name in query_sql.
        """
        if dataset is None:
            return {
                "datasets": {each.name: f"One row per {each.row}." for each in every_dataset().values()},
                "views": {name: f"A view on {_owner(name)}." for name in dataset_views()},
                "calendar_tables": {name: f"query_sql: DESCRIBE {name}" for name in CALENDAR_TABLES},
                "next": "describe_data with a dataset explains its columns.",
            }
        self._refuse_unknown(dataset)
        source = source_named(self._warehouse, dataset)
        described = {field.name: field for field in (*source.dataset.first_columns, *source.dataset.columns)}
        columns = [
            {"name": name, "type": each.type, "unit": each.unit, "description": each.description}
            if (each := described.get(name)) is not None
            else {"name": name, "type": str(source.schema.field(name).type)}
            for name in source.schema.names
        ]
        about = _view(source) if source.is_view else _summary(source.dataset)
        return {"dataset": dataset, **about, "columns": columns}

    def rows(
        self,
        dataset: Annotated[str, Field(description='A dataset or view, such as "laps"; describe_data lists them.')],
        session: Annotated[
            str | int,
            Field(
                description='A session "2024-12-R" or "2024 Monza Q", a round "2024-12", a season "2024", or its races '
                '"2024-R". A season for driver_seasons.'
            ),
        ],
        driver: Annotated[
            str | int | list[str | int] | None,
            Field(description='Rows of these drivers alone: "VER", 1, "Verstappen", or a list.'),
        ] = None,
        columns: Annotated[list[str] | None, Field(description="These columns alone; all without.")] = None,
        limit: _Limit = 100,
        offset: Annotated[int, Field(ge=0, le=10_000_000, description="Leave out so many rows at the start.")] = 0,
    ) -> Answer:
        """Return rows of a dataset of a session, with the letters and team of each car number.

        `missing` says of which sessions it is not stored, and why. For counts, means and joins use query_sql.
        """
        self._refuse_unknown(dataset)
        has_drivers = has_car_numbers(source_named(self._warehouse, dataset).schema.names)
        frame = self._reader.rows(dataset, session, offset + limit + 1, columns, driver, with_drivers=has_drivers)
        rest = "Call rows again with offset={next}, ask for fewer columns or one driver, or aggregate with query_sql."
        found = table(frame.iloc[offset:], limit, rest, offset)
        return {"dataset": dataset, **found, "missing": _missing(frame.attrs.get(MISSING, {}))}

    def query_sql(
        self,
        query: Annotated[
            str,
            Field(
                description="One DuckDB statement that only reads: SELECT, WITH, PIVOT, DESCRIBE, SHOW TABLES. Each "
                "dataset is a table; tables begin with season, round, session ('R', 'Q', ...)."
            ),
        ],
        seasons: Annotated[
            list[int] | None, Field(description="Look only at these seasons, which is faster; all without.")
        ] = None,
        limit: _Limit = 100,
    ) -> Answer:
        """Query the warehouse and the telemetry with SQL. It only reads, and is stopped after 30 seconds."""
        try:
            frame = sql(self._warehouse, query, seasons, limit + 1, SQL_TIMEOUT_SECONDS)
        except UsageError as error:
            raise UsageError(error.what, advice="describe_data explains the tables and their columns.") from error
        return table(frame, limit, "Aggregate, or add ORDER BY with LIMIT and OFFSET={next} to the query.")

    def compare_laps(
        self,
        session: _Session,
        driver: _Driver,
        other_driver: _Driver,
        lap: Annotated[_Lap, Field(description='Number of the lap, or "fastest".')] = "fastest",
        other_lap: Annotated[
            _Lap | None, Field(description="That of the other driver; the same as lap without.")
        ] = None,
        every_m: Annotated[int, Field(ge=10, le=2_000, description="Metres between two places along the lap.")] = 100,
    ) -> Answer:
        """Compare two laps of a session: where and how much one gains, by sector, by corner and along the lap.

        The laps are those of two drivers, or two of the same driver. Their telemetry is aligned by distance.
        """
        return lap_summary(self._reader, str(session), str(driver), str(other_driver), lap, other_lap, every_m)

    def race_summary(
        self,
        session: Annotated[
            str | int, Field(description='A race or sprint: "2024-12-R", "2024-11-S", "2024 Monza", a round "2024-12".')
        ],
    ) -> Answer:
        """Summarise a race or sprint: classification, fastest lap, pit stops, neutralisations and overtakes.

        `not_there` says which of the datasets that it is made of are not stored, and why.
        """
        return races.race_summary(self._reader, session)

    def _refuse_unknown(self, dataset: str) -> None:
        there = [*every_dataset(), *dataset_views()]
        if dataset not in there:
            raise UsageError(no_dataset(dataset, there), advice="describe_data says what is in each.")

    def _sessions_of(self, season: int) -> Answer:
        calendar = self._reader.calendar(season)
        lines = self._warehouse.extractions(seasons={season})
        stored = Counter(line.key for line in lines if line.status is Status.PRESENT)
        keys = sessions_meant(self._warehouse, season).keys
        by_identity = {(key.round, key.session): key for key in keys}
        meant = [by_identity[identity] for identity in zip(calendar["round"], calendar["session"], strict=True)]
        shown_columns = ["event_name", "session_name", "location", "country", "start_utc", "end_utc"]
        frame = calendar[shown_columns].assign(datasets_stored=[stored[key] for key in meant])
        frame.insert(0, "session", [str(key) for key in meant])
        return table(frame, MOST_ROWS, "Name an event in session_status.")


def _described(state: DatasetState) -> Answer:
    """Return a dataset of a session: how many rows, or why there are none and what to do."""
    about: Answer = {"dataset": state.dataset, "status": str(state.status)}
    if state.status is Status.PRESENT:
        stale = {"stale_because": state.stale_because} if state.stale_because else {}
        return {**about, "rows": state.rows, "stored_at": plain(state.extracted_at), **stale}
    absence = absence_of(every_dataset()[state.dataset], state)
    words = {"reason": absence.reason, "advice": absence.advice}
    return {**about, **{name: text for name, text in words.items() if text}}


def _missing(absences: Mapping[str, Mapping[str, str]]) -> Answer:
    first = dict(list(absences.items())[:_MOST_MISSING])
    left = len(absences) - len(first)
    return first if not left else {**first, "...": f"and {left} more: session_status lists them"}


def _owner(view: str) -> str:
    return next(dataset.name for dataset in every_dataset().values() if view in dataset.views)


def _view(source: Source) -> Answer:
    return {"description": f"A view on {source.dataset.name}.", "sql": source.dataset.views[source.name]}


def _summary(dataset: Dataset) -> Answer:
    return {
        "row": f"One row per {dataset.row}.",
        "description": dataset.description,
        "per": dataset.per,
        "key": [*(column.name for column in dataset.first_columns), *dataset.key],
        "sessions": sorted(dataset.sessions),
        "computed_from": [*dataset.inputs, *dataset.optional_inputs],
        "views": list(dataset.views),
    }
