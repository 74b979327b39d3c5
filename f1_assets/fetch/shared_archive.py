"""The archive that all hosts of a database share: its index is a table, its bodies are objects or rows.

A body is named by its checksum and written before the row of `archived_responses` that names it, so that a process
that is killed leaves no row without its body, and equal bodies are stored once. A body that no row names any more is
removed by `SharedStore.sweep` an hour later: whoever is about to name it has written it anew meanwhile.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from requests_cache.models.response import CachedResponse
from sqlalchemy import (
    Connection,
    Engine,
    Table,
    and_,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from f1_assets.errors import ConfigurationError
from f1_assets.fetch.archive_store import Entry
from f1_assets.fetch.packing import compressed, head_of, put_into, response_of
from f1_assets.settings import IN_DATABASE, Settings
from f1_assets.warehouse.engine import database_time, reading, writing
from f1_assets.warehouse.files import OWNER, Files
from f1_assets.warehouse.models import archived_bodies as bodies
from f1_assets.warehouse.models import archived_responses as responses
from f1_assets.warehouse.models import warehouse_identity

_AT_ONCE = 500
"""Addresses in one statement."""

_BODY = re.compile(r"[0-9a-f]{2}/([0-9a-f]{64})\.gz(?:\.[0-9a-f]{32}\.writing)?")


class DamagedBody(Exception):
    """A body that is gone, or not the one that its row names."""


class Bodies(Protocol):
    """Gzipped bodies by the SHA-256 of what is in them."""

    def id(self) -> str | None:
        """Return which archive this is, for the index; None where nothing was written to it yet."""

    def claim(self) -> str:
        """Return the same; where nothing was written to it yet, it becomes this database's."""

    def read(self, sha256: str) -> bytes | None:
        """Return a body; None where there is none."""

    def write(self, sha256: str, body: bytes) -> None:
        """Store a body, also one that is there: it counts as written now."""

    def sweep(self, before: datetime) -> list[str]:
        """Remove what no row names and was written before a time, and name it."""


def bodies_for(settings: Settings, engine: Engine) -> Bodies:
    """Return where the settings keep the bodies of an archive that hosts share."""
    if settings.archive_url == IN_DATABASE:
        return DatabaseBodies(engine)
    return ObjectBodies(Files(settings.archive_url or "", "archive", "F1_ARCHIVE_URL"), engine)


class DatabaseBodies:
    """Bodies in the table `archived_bodies`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def id(self) -> str | None:
        """Return the word that stands in the index for it."""
        return IN_DATABASE

    def claim(self) -> str:
        """Return the same."""
        return IN_DATABASE

    def read(self, sha256: str) -> bytes | None:
        """Return a body; None where there is none."""
        with reading(self._engine) as connection:
            found: bytes | None = connection.execute(select(bodies.c.body).where(bodies.c.sha256 == sha256)).scalar()
        return found

    def write(self, sha256: str, body: bytes) -> None:
        """Store a body, also one that is there: it counts as written now."""
        with writing(self._engine) as connection:
            values = {"sha256": sha256, "body": body, "written_at": database_time(connection)}
            _put(connection, bodies, values)

    def sweep(self, before: datetime) -> list[str]:
        """Remove what no row names and was written before a time, and name it."""
        named = exists().where(responses.c.archive == IN_DATABASE, responses.c.sha256 == bodies.c.sha256)
        with writing(self._engine) as connection:
            gone = delete(bodies).where(bodies.c.written_at <= before, ~named).returning(bodies.c.sha256)
            return sorted(connection.execute(gone).scalars())


class ObjectBodies:
    """Bodies as files of a folder or objects of a bucket, of which `OWNER` names the database and the archive."""

    def __init__(self, files: Files, engine: Engine) -> None:
        self._files, self._engine = files, engine
        self._id: str | None = None

    def id(self) -> str | None:
        """Return which archive this is, for the index; None where nothing was written to it yet.

        Raises
        ------
        ConfigurationError
            When another database fills it, or it cannot be read.
        """
        if self._id is None and (marker := self._files.read(OWNER)) is not None:
            database, _, archive = marker.decode(errors="replace").strip().partition("\n")
            with reading(self._engine) as connection:
                own = connection.execute(select(warehouse_identity.c.id)).scalar_one()
            if database != own or not archive:
                raise ConfigurationError(
                    f"The archive {self._files.shown} is filled by another database.",
                    advice="Give each database an archive of its own: set F1_ARCHIVE_URL. If that database is gone for "
                    f"good, delete {OWNER} in the archive.",
                )
            self._id = archive
        return self._id

    def claim(self) -> str:
        """Return the same; where nothing was written to it yet, it becomes this database's."""
        if (known := self.id()) is not None:
            return known
        with writing(self._engine) as connection:
            # Looked at again under the row's lock: of two hosts one is the first.
            own = connection.execute(select(warehouse_identity.c.id).with_for_update()).scalar_one()
            if self._files.read(OWNER) is None:
                self._files.write(OWNER, f"{own}\n{uuid.uuid4().hex}".encode())
        return cast(str, self.id())

    def read(self, sha256: str) -> bytes | None:
        """Return a body; None where there is none."""
        return self._files.read(_path_of(sha256))

    def write(self, sha256: str, body: bytes) -> None:
        """Store a body, also one that is there: it counts as written now."""
        self._files.write(_path_of(sha256), body)

    def sweep(self, before: datetime) -> list[str]:
        """Remove what no row names and was written before a time, and name it."""
        archive = self.id()
        if archive is None:
            return []
        paths = {path: match for path in self._files.paths() if (match := _BODY.fullmatch(path))}
        # Asked after the listing: what was listed and is named by now is no leftover.
        with reading(self._engine) as connection:
            query = select(responses.c.sha256).where(responses.c.archive == archive)
            named = {_path_of(sha256) for sha256 in connection.execute(query).scalars()}
        leftovers = [path for path in paths if path not in named and self._files.modified_at(path) <= before]
        self._files.remove(leftovers)
        return sorted(leftovers)


class SharedStore:
    """Responses of one source in the archive that all hosts of a database share.

    Parameters
    ----------
    engine
        The database with the index.
    bodies
        Where the bodies are.
    source
        Whose answers.
    """

    def __init__(self, engine: Engine, bodies: Bodies, source: str) -> None:
        self._engine, self._bodies, self._source = engine, bodies, source

    def read(self, address: str) -> CachedResponse | None:
        """Return a response; None where there is none.

        Raises
        ------
        DamagedBody
            When its body is gone, or another one.
        """
        row = self._row(address)
        if row is None:
            return None
        packed = self._bodies.read(row.sha256)
        if packed is None:
            raise DamagedBody(f"the body of {address} is gone")
        body = gzip.decompress(packed)
        if hashlib.sha256(body).hexdigest() != row.sha256:
            raise DamagedBody(f"the body of {address} is another one")
        response = put_into(response_of(json.loads(row.head)), body)
        response.created_at, response.expires, response.cache_key = row.created_at, row.expires_at, address
        return response

    def dates(self, address: str) -> tuple[datetime, datetime | None] | None:
        """Return when a response came and until when it serves; None where there is none."""
        row = self._row(address)
        return None if row is None else (row.created_at, row.expires_at)

    def write(self, address: str, response: CachedResponse) -> None:
        """Store a response in the place of the one that is there: first its body, then the row that names it."""
        body = response.content or b""
        packed, sha256 = compressed(body), hashlib.sha256(body).hexdigest()
        archive = self._bodies.claim()
        self._bodies.write(sha256, packed)
        values = {
            "archive": archive,
            "source": self._source,
            "address": _stored(address),
            "created_at": response.created_at.replace(tzinfo=response.created_at.tzinfo or UTC),
            "expires_at": response.expires,
            "status": response.status_code,
            "sha256": sha256,
            "body_bytes": len(packed),
            "is_distinctive": False,
            "head": json.dumps(head_of(response, but=("created_at", "expires"))),
        }
        with writing(self._engine) as connection:
            _put(connection, responses, values)

    def delete(self, addresses: Iterable[str]) -> None:
        """Remove responses; their bodies stay until `sweep`."""
        found = [_stored(address) for address in addresses]
        for begin in range(0, len(found), _AT_ONCE):
            chosen = responses.c.address.in_(found[begin : begin + _AT_ONCE])
            with writing(self._engine) as connection:
                connection.execute(delete(responses).where(self._mine(), chosen))

    def entries(self, url_part: str = "") -> list[Entry]:
        """List the responses whose addresses contain `url_part`."""
        query = select(responses.c.address, responses.c.expires_at).where(self._mine())
        if url_part:
            query = query.where(responses.c.address.contains(_stored(url_part), autoescape=True))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        # SQLite's LIKE takes capital letters for small ones.
        return [Entry(row.address, row.expires_at) for row in rows if _stored(url_part) in row.address]

    def note_body(self, address: str, sha256: str) -> None:
        """Note that no other session can have the body of an address."""
        same = and_(self._mine(), responses.c.address == _stored(address), responses.c.sha256 == sha256)
        with writing(self._engine) as connection:
            connection.execute(update(responses).where(same).values(is_distinctive=True))

    def addresses_of_body(self, sha256: str) -> list[str]:
        """Return the addresses that `note_body` noted for a body."""
        noted = and_(self._mine(), responses.c.sha256 == sha256, responses.c.is_distinctive)
        with reading(self._engine) as connection:
            return list(connection.execute(select(responses.c.address).where(noted)).scalars())

    def size(self) -> tuple[int, int]:
        """Return how many responses there are, and the bytes that their bodies take; equal ones are stored once."""
        each = select(responses.c.sha256, responses.c.body_bytes).where(self._mine()).distinct().subquery()
        with reading(self._engine) as connection:
            number = connection.execute(select(func.count()).select_from(responses).where(self._mine())).scalar_one()
            size = connection.execute(select(func.coalesce(func.sum(each.c.body_bytes), 0))).scalar_one()
        return number, int(size)

    def sweep(self, before: datetime) -> list[str]:
        """Remove bodies that no response has and that were written before a time, and name them."""
        return self._bodies.sweep(before)

    def close(self) -> None:
        """Close nothing: the engine is the process's."""

    def _mine(self) -> Any:  # noqa: ANN401 (a condition)
        return and_(responses.c.archive == (self._bodies.id() or ""), responses.c.source == self._source)

    def _row(self, address: str) -> Any:  # noqa: ANN401 (a row)
        with reading(self._engine) as connection:
            found = select(responses).where(self._mine(), responses.c.address == _stored(address))
            return connection.execute(found).first()


def _put(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    """Insert a row, or put it in the place of the one with its key; of two writers the later one's is there."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values)
    key = [column.name for column in table.primary_key.columns]
    changes = {name: statement.excluded[name] for name in values if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changes))


def _path_of(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}.gz"


def _stored(address: str) -> str:
    """Write an address without NUL, which PostgreSQL stores in no text."""
    return address.replace("\0", "%00")
