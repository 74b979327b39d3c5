"""The properties of a dataset that the warehouse needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Table


class Storable(Protocol):
    """What the warehouse needs to know of a dataset."""

    @property
    def name(self) -> str:
        """Name of the dataset and of its table."""

    @property
    def table(self) -> Table | None:
        """Where its rows go; the table begins with season, round, session. None for what is kept in the lake."""

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that, after the session, tell rows apart."""

    @property
    def identities(self) -> tuple[tuple[str, ...], ...]:
        """Sets of columns by which a row is found again after a change, the strictest first."""

    @property
    def order_by(self) -> tuple[str, ...]:
        """Columns by which a reader wants its rows in order."""
