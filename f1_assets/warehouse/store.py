"""The warehouse: rows of one (session, dataset) are replaced whole, in one transaction with what is known of them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, Engine, Select, Table, and_, delete, func, insert, or_, select, update

from f1_assets.errors import ConfigurationError, TransientError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse import migrate
from f1_assets.warehouse.bulk_writes import insert_rows
from f1_assets.warehouse.changes import keep_change_of_file, keep_changes, previous_of
from f1_assets.warehouse.digests import digest_of_rows
from f1_assets.warehouse.engine import make_engine, reading, writing
from f1_assets.warehouse.lines import Extraction, identity_of, is_line, lines_of, stored_line, write_line
from f1_assets.warehouse.models import Status, extractions, of_session, order_of, records_table, sessions
from f1_assets.warehouse.people import fill_people, identified, lock_people, names_people, reason_of_people, with_reason
from f1_assets.warehouse.records import rows_of
from f1_assets.warehouse.storable import Storable
from f1_assets.warehouse.times_of_day import fill_times_of_day

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL

    from f1_assets.warehouse.lake import Filters, Lake, LakeMarker
    from f1_assets.warehouse.lake_ownership import LakeOwnership


Parents = Mapping[Table, Sequence[Mapping[str, Any]]]
"""Rows of other tables that rows speak of, by their table."""


_OF_THE_ROWS = (
    "status",
    "rows",
    "rows_expected",
    "digest",
    "extracted_at",
    "fastf1_version",
    "version",
    "asked_at",
    "short_because",
    "short_since",
    "file",
    "file_bytes",
    "file_sha256",
    "notes",
)


class Warehouse:
    """A database of Formula 1 data.

    Parameters
    ----------
    engine
        Connection to the database.
    tables, views
        The datasets' tables and views that belong to it, beside its own tables.
    lake_url
        Where the rows are that are too many for a database.
    lake_is_meant
        Whether somebody named the lake; otherwise it is just the default of this host, see `LakeOwnership`.
    """

    def __init__(
        self,
        engine: Engine,
        tables: Sequence[Table],
        views: Mapping[str, str],
        lake_url: str | None = None,
        lake_is_meant: bool = True,
    ) -> None:
        self.engine = engine
        self._lake_url = lake_url
        self._lake_is_meant = lake_is_meant
        self._tables = list(tables)
        self._views = dict(views)

    @classmethod
    def open(
        cls,
        url: URL,
        tables: Sequence[Table],
        views: Mapping[str, str],
        lake_url: str | None = None,
        lake_is_meant: bool = True,
    ) -> Self:
        """Open the database at `url`; an embedded one is created and upgraded by itself.

        Raises
        ------
        ConfigurationError
            When the database cannot be reached, is of a newer version, or needs ``f1-assets db upgrade``.
        """
        warehouse = cls.at(url, tables, views, lake_url, lake_is_meant)
        migrate.ensure_current(warehouse.engine, warehouse._tables, warehouse._views)
        return warehouse

    @classmethod
    def at(
        cls,
        url: URL,
        tables: Sequence[Table],
        views: Mapping[str, str],
        lake_url: str | None = None,
        lake_is_meant: bool = True,
    ) -> Self:
        """Return the warehouse at `url` as it is; nothing is connected, checked or upgraded yet."""
        return cls(make_engine(url), tables, views, lake_url, lake_is_meant)

    @functools.cached_property
    def lake(self) -> Lake:
        """The lake, opened when it is first needed."""
        from f1_assets.warehouse.lake import Lake

        if self._lake_url is None:
            raise ConfigurationError(
                "This warehouse was opened without a lake.", advice="Open it with f1_assets.connect()."
            )
        return Lake(self._lake_url)

    @property
    def lake_ownership(self) -> LakeOwnership:
        """Check whether the lake is this database's."""
        from f1_assets.warehouse.lake_ownership import LakeOwnership

        return LakeOwnership(self.engine, self.lake, self._lake_is_meant)

    @property
    def owns_lake(self) -> bool:
        """Check whether it has a lake, and the lake is that of this database and of no other."""
        return self._lake_url is not None and self.lake_ownership.refusal() is None

    def upgrade(self) -> None:
        """Upgrade the database to this version's schema."""
        migrate.upgrade(self.engine, self._tables, self._views)

    def pending_migrations(self) -> tuple[list[str], Path | None]:
        """Return what `upgrade` would do to the schema, a line each, and where it copies a SQLite file to first."""
        return migrate.steps(self.engine), migrate.copy_of(self.engine)

    def check(self) -> list[str]:
        """Return what the database lacks of this version's schema; nothing when it is up to date."""
        return migrate.check(self.engine, self._tables, self._views)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def replace(
        self,
        key: SessionKey,
        dataset: Storable,
        frame: pd.DataFrame,
        extraction: Extraction | None = None,
        parents: Parents | None = None,
        starts_at: datetime | None = None,
    ) -> Extraction:
        """Replace the rows of one dataset of one session, or season, and its record, in one transaction.

        Parameters
        ----------
        key
            The session, which the calendar must know, or the season.
        dataset
            Whose rows they are.
        frame
            The new rows, without the session's key.
        extraction
            What else to note: requests, seconds, run. Rows, digest and status are filled in here.
        parents
            Rows of other tables that these rows speak of, such as the circuit; they are merged in.
        starts_at
            When the session began that was loaded: where the calendar has another one under this key by now, because
            its rounds were renumbered meanwhile, nothing is stored.

        Raises
        ------
        TransientError
            When the calendar has another session under this key by now.

        Returns
        -------
        Extraction
            The line as it was stored.
        """
        line = extraction or Extraction(key, dataset.name, Status.PRESENT)
        if dataset.table is None:
            return self._replace_file(line, dataset, frame, parents, starts_at)
        rows, now = rows_of(frame), datetime.now(UTC)
        names = names_people(dataset.table)
        with self._storing(key, parents, starts_at) as connection:
            if names or isinstance(key, SeasonKey):  # nobody leases a season
                lock_people(connection, key.season)
            if names:
                rows, why = identified(connection, self._tables, key, dataset.table, rows)
                line = replace(line, reason=with_reason(line.reason, why))
            line = _brought(line, len(rows), digest_of_rows(dataset.table, rows), now)
            previous = previous_of(connection, line)
            line = _still_short_since(line, previous)
            keep_changes(connection, dataset, line, previous, rows)
            connection.execute(delete(dataset.table).where(of_session(dataset.table, key)))
            insert_rows(connection, dataset.table, [{**identity_of(key), **row} for row in rows])
            write_line(connection, line)
            if names:
                fill_people(connection, self._tables, key, dataset.table)
        return line

    def _replace_file(
        self,
        line: Extraction,
        dataset: Storable,
        frame: pd.DataFrame,
        parents: Parents | None,
        starts_at: datetime | None,
    ) -> Extraction:
        ownership = self.lake_ownership
        marker = ownership.claim(takes_over=True)
        file = self.lake.write(line.key, dataset.name, frame, groups=dataset.key[0])
        line = _brought(line, file.rows, file.sha256, datetime.now(UTC))
        line = replace(line, file=file.path, file_bytes=file.bytes, file_sha256=file.sha256)
        with self._storing(line.key, parents, starts_at) as connection:
            ownership.require(connection, marker)
            previous = previous_of(connection, line)
            line = _still_short_since(line, previous)
            keep_change_of_file(connection, line, previous)
            write_line(connection, line)
        before = previous.file if previous is not None else None
        if before is not None and before != file.path:
            self.lake.remove([before])
        return line

    @contextlib.contextmanager
    def _storing(self, key: SessionKey, parents: Parents | None, starts_at: datetime | None) -> Iterator[Connection]:
        """Open the one transaction in which rows, or the name of their file, and their line are stored."""
        with writing(self.engine) as connection:
            if starts_at is not None:
                _refuse_another(connection, key, starts_at)
            known = select(sessions.c.t0_utc).where(of_session(sessions, key))
            before = connection.execute(known).scalar() if parents and sessions in parents else None
            for table, rows in (parents or {}).items():
                merge(connection, table, rows)
                for began_at in [row["t0_utc"] for row in rows if row.get("t0_utc")] if table is sessions else ():
                    fill_times_of_day(connection, self._tables, key, began_at, before)
            yield connection

    def completed(self, key: SessionKey, dataset: Storable, frame: pd.DataFrame) -> pd.DataFrame:
        """Fill in what rows take from other sessions that are stored, as `replace` does."""
        if dataset.table is None or not names_people(dataset.table):
            return frame
        with reading(self.engine) as connection:
            rows, _ = identified(connection, self._tables, key, dataset.table, rows_of(frame))
        return frame.assign(**{name: [row[name] for row in rows] for name in ("driver_id", "team_id")})

    def note(self, extraction: Extraction) -> Extraction:
        """Note why a dataset of a session is not there, or could not be renewed. Rows that are there stay.

        A dataset that is present stays present: what failed is its renewal, and the error stands beside it.

        Returns
        -------
        Extraction
            The line as it was stored, with the number of failed attempts so far.
        """
        with writing(self.engine) as connection:
            # The record is written back whole, and whoever fills in people of the season changes its digest.
            lock_people(connection, extraction.key.season)
            before = stored_line(connection, extraction)
            line = replace(extraction, tried_at=extraction.tried_at or datetime.now(UTC))
            if before is not None:
                line = replace(line, attempts=before.attempts + extraction.is_a_try if extraction.failed else 0)
                if before.status is Status.PRESENT:
                    # What is said of the rows stays with them; what is said of the attempt is new.
                    line = replace(line, **{name: getattr(before, name) for name in _OF_THE_ROWS})
                    line = replace(line, reason=with_reason(line.reason, reason_of_people(before.reason)))
            elif extraction.is_a_try:
                line = replace(line, attempts=1)
            write_line(connection, line)
        return line

    def judge(self, key: SessionKey, short: Mapping[str, str]) -> None:
        """Store which datasets of a session fall far short of it, and why; the others do not.

        Parameters
        ----------
        key
            The session.
        short
            The reason by dataset.
        """
        with writing(self.engine) as connection:
            for line in lines_of(connection, select(extractions).where(of_session(extractions, key))):
                reason = short.get(line.dataset) if line.status is Status.PRESENT else None
                since = (line.short_since or line.extracted_at) if reason is not None else None
                if (line.short_because, line.short_since) != (reason, since):
                    values = {"short_because": reason, "short_since": since}
                    connection.execute(update(extractions).where(is_line(line)).values(**values))

    def lose(self, extraction: Extraction, marker: LakeMarker) -> None:
        """Take note that a dataset's file is gone or damaged: it is missing now, unless it was written anew since.

        Nothing is changed where the database has another lake by now than the one of `marker`, in which it was sought.
        """
        same = and_(is_line(extraction), extractions.c.file_sha256 == extraction.file_sha256)
        with writing(self.engine) as connection:
            self.lake_ownership.require(connection, marker)
            connection.execute(delete(extractions).where(same))

    def forget(self, key: SessionKey, datasets: Iterable[str]) -> int:
        """Forget failures and "unavailable" of these datasets, so that they are asked for again.

        Returns
        -------
        int
            How many were forgotten. Rows that are there stay; where their renewal failed, it is due at once.
        """
        records = records_table(key)
        mine = and_(of_session(records, key), records.c.dataset.in_(list(datasets)))
        present = records.c.status == Status.PRESENT
        with writing(self.engine) as connection:
            renewed = connection.execute(
                update(records)
                .where(mine, present, or_(records.c.error_class.is_not(None), records.c.next_try_at.is_not(None)))
                .values(attempts=0, next_try_at=datetime.now(UTC))
            ).rowcount
            return connection.execute(delete(records).where(mine, ~present)).rowcount + renewed

    def extractions(self, key: SessionKey | None = None, seasons: Iterable[int] | None = None) -> list[Extraction]:
        """Return what is known of every (session, dataset), of one session or of some seasons.

        The key of a season gives the records of what is computed over it.
        """
        query = select(extractions)
        if key is not None:
            records = records_table(key)
            query = select(records).where(of_session(records, key))
        if seasons is not None:
            query = query.where(extractions.c.season.in_(list(seasons)))
        with reading(self.engine) as connection:
            return lines_of(connection, query)

    def rows(
        self, dataset: Storable, key: SessionKey, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the rows of one dataset of one session, in its order; with `columns`, these alone.

        The key of a season gives the rows of all its sessions, session by session, or what is computed over it.
        """
        if dataset.table is None:
            return self._rows_of_file(dataset, key, limit, columns)
        query = _rows_of_table(dataset.table, dataset.order_by, key, columns)
        return self.query(query.limit(limit) if limit is not None else query)

    def plain_rows(
        self, dataset: Storable, key: SessionKey, columns: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows of a dataset of the database, see `rows`, as dictionaries with None for what is missing."""
        if dataset.table is None:
            raise TypeError(f"{dataset.name} is kept in the lake")
        with reading(self.engine) as connection:
            result = connection.execute(_rows_of_table(dataset.table, dataset.order_by, key, columns))
            names = tuple(result.keys())
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def _rows_of_file(
        self, dataset: Storable, key: SessionKey, limit: int | None, columns: Sequence[str] | None
    ) -> pd.DataFrame:
        lines = [line for line in self.extractions(key) if line.dataset == dataset.name and line.file is not None]
        if not lines or lines[0].file is None:
            import pandas as pd

            return pd.DataFrame(columns=list(columns or [*identity_of(key), *dataset.order_by]))
        path = lines[0].file
        if limit is None:
            frame = self.read_file(path, columns)
        else:
            frame = self._of_this_lake(path, lambda: self.lake.first_rows(path, limit, columns))
        for place, (name, value) in enumerate(identity_of(key).items() if columns is None else ()):
            frame.insert(place, name, value)
        return frame

    def read_file(
        self, path: str, columns: Sequence[str] | None = None, filters: Filters | None = None
    ) -> pd.DataFrame:
        """Read a file of the lake, see `Lake.read`; where it is in another lake, the error says so and what to set."""
        return self._of_this_lake(path, lambda: self.lake.read(path, columns, filters))

    def read_categories(self, path: str, columns: Sequence[str]) -> pd.DataFrame:
        """Read columns of a file of the lake, see `Lake.read_categories` and `read_file`."""
        return self._of_this_lake(path, lambda: self.lake.read_categories(path, columns))

    def _of_this_lake(self, path: str, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        try:
            return read()
        except ConfigurationError as error:
            self.lake_ownership.refuse_files_elsewhere([path], error)
            raise

    def query(self, statement: Select[Any]) -> pd.DataFrame:
        """Run a query and give its rows as a frame; integers that can be missing stay integers."""
        import pandas as pd

        with reading(self.engine) as connection:
            result = connection.execute(statement)
            frame = pd.DataFrame(result.fetchall(), columns=list(result.keys()), dtype=object)
        return frame.convert_dtypes()

    def count(self, dataset: Storable, key: SessionKey) -> int:
        """Count the rows of one dataset of one session."""
        if dataset.table is None:
            return sum(line.rows for line in self.extractions(key) if line.dataset == dataset.name)
        query = select(func.count()).select_from(dataset.table).where(of_session(dataset.table, key))
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()

    def knows(self, key: SessionKey) -> bool:
        """Check whether the calendar has this session."""
        with reading(self.engine) as connection:
            return connection.execute(select(sessions.c.name).where(of_session(sessions, key))).first() is not None


def _rows_of_table(
    table: Table, order_by: Sequence[str], key: SessionKey, columns: Sequence[str] | None
) -> Select[Any]:
    chosen = table.columns if columns is None else [table.columns[name] for name in columns]
    before = [name for name in ("round", "session") if isinstance(key, SeasonKey) and name in table.columns]
    return select(*chosen).where(of_session(table, key)).order_by(*order_of(table, (*before, *order_by)))


def _brought(line: Extraction, rows: int, digest: str, now: datetime) -> Extraction:
    return replace(line, rows=rows, digest=digest, attempts=0, tried_at=now, extracted_at=now)


def _still_short_since(line: Extraction, previous: Extraction | None) -> Extraction:
    """Keep that rows fall short, and since when, until `Warehouse.judge` says whether the new ones still do."""
    if previous is None:
        return line
    return replace(line, short_because=previous.short_because, short_since=previous.short_since)


def merge(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows or update those that are there, by primary key; values that are not given stay."""
    for row in rows:
        given = {name: value for name, value in row.items() if value is not None}
        same = and_(*(column == row[column.name] for column in table.primary_key.columns))
        changes = {name: value for name, value in given.items() if not table.columns[name].primary_key}
        if connection.execute(select(*table.primary_key.columns).where(same)).first() is None:
            connection.execute(insert(table), [given])
        elif changes:
            connection.execute(update(table).where(same).values(**changes))


_CORRECTED_BY = timedelta(days=2)
"""A refresh may correct the start of a session by so much; two sessions of one name are at least five days apart."""


def _refuse_another(connection: Connection, key: SessionKey, starts_at: datetime) -> None:
    listed = connection.execute(select(sessions.c.start_utc).where(of_session(sessions, key))).scalar()
    if listed is None or abs(listed - starts_at) > _CORRECTED_BY:
        raise TransientError(
            "the calendar changed while the session was loaded; another one has this number now.",
            advice="Nothing was stored.",
            key=key,
        )
