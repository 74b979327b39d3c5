"""FastF1 without requests: what it asks for, the archive answers, whatever its age."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from f1_assets.context import Context
from f1_assets.keys import SessionKey
from f1_assets.settings import Settings, process_settings
from f1_assets.warehouse.calendar import event_of, session_of

if TYPE_CHECKING:
    from fastf1.core import Session
    from fastf1.mvapi import CircuitInfo

    from f1_assets.fetch.archive import Archive


@contextlib.contextmanager
def offline_fastf1(settings: Settings | None = None) -> Iterator[None]:
    """Let FastF1 read the archive instead of asking F1's services, for the time of a ``with`` block.

    Notebooks that are written for FastF1 run unchanged in it: schedule, ``get_session`` by number or name, ``load``,
    plotting, circuit, `fastf1.ergast.Ergast`. Nothing is sent, signed in to, or written to FastF1's cache, which is not
    used. What the archive does not have is what FastF1 makes of a feed that is missing: ``load`` goes on without it,
    and the schedule, or `Ergast`, raises its own error.

    FastF1 keeps how it sends its requests for the whole process: other threads read the archive too meanwhile.

    Parameters
    ----------
    settings
        Those of the environment by default: they say where the archive is, and of which source.

    Raises
    ------
    ConfigurationError
        When the archive cannot be read.
    """
    with _reading_archive(settings or process_settings()):
        yield


def fastf1_session(
    key: SessionKey | str,
    *,
    laps: bool = True,
    telemetry: bool = True,
    weather: bool = True,
    messages: bool = True,
    settings: Settings | None = None,
) -> Session:
    """Return a session as FastF1 loads it, from the archive: without a request, a quota or a FastF1 cache.

    Its frames are FastF1's own, with what FastF1 makes up; `connect` has the rows that are put right. The session knows
    its event from the stored calendar; ``get_circuit_info`` reads the archive too.

    Parameters
    ----------
    key
        The session: ``2024-03-Q``.
    laps, telemetry, weather, messages
        As in FastF1's ``Session.load``; telemetry takes most of the time.
    settings
        Those of the environment by default.

    Returns
    -------
    fastf1.core.Session
        Loaded. What the archive does not have raises FastF1's `DataNotLoadedError` when it is asked for.

    Raises
    ------
    UsageError
        When no session can have this name, or the calendar does not have it.
    ConfigurationError
        When the database or the archive cannot be read.
    """
    from f1_assets.fetch.fastf1_sessions import fastf1_session as session_of_calendar
    from f1_assets.fetch.folders import SessionFolders

    context = Context.open(settings)
    session_key = SessionKey.parse(key) if isinstance(key, str) else key
    event, session = event_of(context.warehouse, session_key), session_of(context.warehouse, session_key)
    loaded = session_of_calendar(event, session)
    with _reading_archive(context.settings) as archive:
        loaded.api_path = SessionFolders(archive).of(event, session)
        loaded.load(laps=laps, telemetry=telemetry, weather=weather, messages=messages)
        _load_colours(loaded)
    object.__setattr__(loaded, "get_circuit_info", functools.partial(_circuit_info, loaded, context.settings))
    return loaded


@contextlib.contextmanager
def _reading_archive(settings: Settings) -> Iterator[Archive]:
    """Let FastF1's requests be answered from the archive of these settings."""
    from f1_assets.fetch.transport import Transport

    transport = Transport(settings, sends=False)
    try:
        with transport.loading():
            yield transport.archive
    finally:
        transport.close()


def _load_colours(session: Session) -> None:
    """Let FastF1's plotting read the session's teams once: it asks for them when the first colour is wanted."""
    import fastf1.plotting

    with contextlib.suppress(ValueError):  # FastF1 has no teams of it
        fastf1.plotting.list_team_names(session)


def _circuit_info(session: Session, settings: Settings) -> CircuitInfo | None:
    with _reading_archive(settings):
        return type(session).get_circuit_info(session)
