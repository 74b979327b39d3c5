"""Which lake belongs to a database: the lake's marker names the database, and the database names the lake.

Two hosts on one database have a lake each by default, below their own ``F1_HOME``. Only one of them can be the
database's lake: in the other one most files that the database names are absent, and none of them is lost.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, Engine, select, update

from f1_assets.errors import ConfigurationError
from f1_assets.formatting import counted
from f1_assets.warehouse.engine import is_embedded, reading, writing
from f1_assets.warehouse.lake import LakeMarker
from f1_assets.warehouse.models import extractions, warehouse_identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f1_assets.warehouse.lake import Lake


class _Identity(NamedTuple):
    """What the database says of itself and of its lake."""

    id: str
    lake_id: str | None
    lake_url: str | None


@dataclass(frozen=True)
class _Found:
    """What the marker and the database say of each other: the marker that is right, or why the lake is refused."""

    marker: LakeMarker | None = None
    refusal: str | None = None
    is_new: bool = False

    def refusal_unless(self, takes_over: bool) -> str | None:
        """Return why the lake is refused; a marker beside it is that of a lake that may take over."""
        return None if takes_over and self.marker is not None else self.refusal


class LakeOwnership:
    """The lake of a database: whose it is, and whether it may be written.

    Parameters
    ----------
    engine
        The database.
    lake
        The lake.
    is_meant
        Whether the lake was named by somebody (``F1_LAKE_URL``), and is not just the default of this host: then it
        becomes the database's lake when something is written to it, whichever was so before.
    """

    def __init__(self, engine: Engine, lake: Lake, is_meant: bool) -> None:
        self._engine, self._lake, self._is_meant = engine, lake, is_meant

    def refusal(self) -> str | None:
        """Return why the lake is not the database's and what to set; None where it is. Nothing is changed."""
        with reading(self._engine) as connection:
            found = self._find(connection)
        return found.refusal

    def refuse_to_write(self) -> None:
        """Raise when nothing may be written to the lake. Nothing is changed.

        Raises
        ------
        ConfigurationError
            When the lake is not the database's; it says what to set.
        """
        with reading(self._engine) as connection:
            refusal = self._find(connection).refusal_unless(takes_over=True)
        if refusal is not None:
            raise ConfigurationError(f"Telemetry cannot be stored. {refusal}")

    def claim(self, takes_over: bool = False) -> LakeMarker:
        """Make the lake the database's, where no other one is, and return its marker.

        Parameters
        ----------
        takes_over
            Whether a lake that was named by somebody may take the place of another one.

        Raises
        ------
        ConfigurationError
            When the lake is not the database's; it says what to set.
        """
        with reading(self._engine) as connection:
            found = self._find(connection)
        if found.is_new:
            # Looked at again under the row's lock: of two processes, or hosts, one is the first.
            with writing(self._engine) as connection:
                connection.execute(select(warehouse_identity.c.id).with_for_update())
                found = self._find(connection)
                if found.marker is not None and found.is_new and found.refusal_unless(takes_over) is None:
                    self._lake.mark(found.marker)
                    named = {"lake_id": found.marker.lake, "lake_url": self._lake.shown}
                    connection.execute(update(warehouse_identity).values(**named))
        refusal = found.refusal_unless(takes_over)
        if found.marker is None or refusal is not None:
            raise ConfigurationError(refusal or "The lake has no marker.")
        return found.marker

    def hand_over(self, connection: Connection, marker: LakeMarker, target: Lake, elsewhere: Iterable[str]) -> None:
        """Make another lake the database's, which has all files of this one, in the place of this one.

        Parameters
        ----------
        connection
            With the transaction that knows that it has all files.
        marker
            This lake's.
        target
            The other one. Its marker is written before the database names it.
        elsewhere
            Files that this lake lacked too.
        """
        lake_id = uuid.uuid4().hex
        target.mark(LakeMarker(marker.database, lake_id, frozenset(elsewhere)))
        named = {"lake_id": lake_id, "lake_url": target.shown}
        connection.execute(update(warehouse_identity).values(**named))

    def require(self, connection: Connection, marker: LakeMarker) -> None:
        """Raise when another host has given the database another lake meanwhile, in the transaction that relies on it.

        Raises
        ------
        ConfigurationError
            When the database names another lake by now.
        """
        if connection.execute(select(warehouse_identity.c.lake_id)).scalar_one() != marker.lake:
            raise ConfigurationError(self._find(connection).refusal or "The lake was changed meanwhile; run it again.")

    def refuse_files_elsewhere(self, paths: Iterable[str], cause: Exception | None = None) -> None:
        """Raise when some of these files are in another lake than this one.

        Raises
        ------
        ConfigurationError
            Naming one of them, and what to set.
        """
        refusal, marker = self.refusal(), self._lake.marker()
        elsewhere = marker.elsewhere if marker is not None else frozenset()
        for path in paths if refusal is not None or elsewhere else ():
            if (refusal is not None or path in elsewhere) and self._lake.size(path) is None:
                stayed = f"It stayed in the lake of before when {self._lake.shown} took its place: copy it from there."
                raise ConfigurationError(f"The file {path} is in another lake. {refusal or stayed}") from cause

    def _find(self, connection: Connection) -> _Found:
        identity, marker = _identity(connection), self._lake.marker()
        if marker is not None and marker.database != identity.id:
            return _Found(
                refusal=f"The lake {self._lake.shown} is filled by another database. Give each database a lake of its "
                "own: set F1_LAKE_URL. If that database is gone for good, delete owner.txt in the lake."
            )
        if marker is not None and marker.instead is not None:
            return _Found(
                refusal=f"The lake {self._lake.shown} is not in use: it was moved, or its move has not ended. The "
                f"database keeps its files in {marker.instead}. Set F1_LAKE_URL to that lake, as this host reaches it."
            )
        if identity.lake_id is None:
            return self._find_first(connection, marker, identity.id)
        if marker is not None and marker.lake == identity.lake_id:
            return _Found(marker)
        embedded = is_embedded(self._engine)
        if marker is None and embedded and identity.lake_url == self._lake.shown:
            # The same folder of the same machine, emptied: what was in it is lost.
            return _Found(LakeMarker(identity.id, identity.lake_id), is_new=True)
        if not self._is_meant:
            return _Found(refusal=self._is_another(identity))
        absent, _ = self._look_for_files(connection)
        lake_id = (marker.lake if marker is not None else None) or uuid.uuid4().hex
        return _Found(LakeMarker(identity.id, lake_id, absent), self._is_another(identity), is_new=True)

    def _find_first(self, connection: Connection, marker: LakeMarker | None, database: str) -> _Found:
        """Look whether a database that names no lake yet has its files in this one."""
        absent, there = self._look_for_files(connection)
        has_most = not absent or there > len(absent)
        if not has_most and not self._is_meant:
            return _Found(
                refusal=f"The lake {self._lake.shown} has {there} of {counted(there + len(absent), 'file')} that the "
                "database names; the others are in another lake. Set F1_LAKE_URL to the lake that has them, as this "
                "host reaches it. Hosts that share a database share one lake: a bucket or a shared folder."
            )
        # On an embedded database nobody else has them: they are lost, and `archive verify` says so.
        elsewhere = frozenset() if has_most and is_embedded(self._engine) else absent
        lake_id = (marker.lake if marker is not None else None) or uuid.uuid4().hex
        return _Found(LakeMarker(database, lake_id, elsewhere), is_new=True)

    def _is_another(self, identity: _Identity) -> str:
        return (
            f"The lake {self._lake.shown} is not the one of this database, which keeps its files in "
            f"{identity.lake_url or 'another one'}. Set F1_LAKE_URL to that lake, as this host reaches it. Hosts that "
            "share a database share one lake: a bucket or a shared folder. To move it, run f1-assets archive move-lake "
            "on a host that reaches both."
        )

    def _look_for_files(self, connection: Connection) -> tuple[frozenset[str], int]:
        """Return the files that the database names and the lake lacks, and how many it has."""
        query = select(extractions.c.file).where(extractions.c.file.is_not(None))
        named = {str(path) for path in connection.execute(query).scalars()}
        absent = named - set(self._lake.paths()) if named else set()
        return frozenset(absent), len(named) - len(absent)


def _identity(connection: Connection) -> _Identity:
    names = ("id", "lake_id", "lake_url")
    return _Identity(*connection.execute(select(*(warehouse_identity.c[name] for name in names))).one())
