"""The settings of the database that decide whether what is committed survives a power cut."""

from __future__ import annotations

from sqlalchemy import Connection, text

_SQLITE = {"journal_mode": ("wal", "delete", "truncate", "persist"), "synchronous": ("2", "3"), "foreign_keys": ("1",)}
_POSTGRESQL = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply", "local")}


def weak_settings(connection: Connection) -> list[str]:
    """Return the settings under which a power cut can cost what was committed, as ``name = value``."""
    if connection.dialect.name == "sqlite":
        asked, wanted = "PRAGMA", _SQLITE
    elif connection.dialect.name == "postgresql":
        asked, wanted = "SHOW", _POSTGRESQL
    else:
        return []
    found = {name: str(connection.execute(text(f"{asked} {name}")).scalar()) for name in wanted}
    return [f"{name} = {value}" for name, value in found.items() if value not in wanted[name]]
