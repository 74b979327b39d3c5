"""A Formula 1 warehouse that keeps itself complete.

``connect()`` opens it for a notebook, ``fastf1_session()`` and ``offline_fastf1()`` give FastF1 what is archived;
`f1_assets.planning` says what is missing, `f1_assets.importing` fills it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from f1_assets.offline import fastf1_session, offline_fastf1
    from f1_assets.reader import connect

__version__ = "0.1.0"

__all__ = ["__version__", "connect", "fastf1_session", "offline_fastf1"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (of a module)
    """Import a name when it is asked for: whoever needs the quota alone waits for neither pandas nor datasets."""
    if name == "connect":
        from f1_assets.reader import connect

        return connect
    if name in ("fastf1_session", "offline_fastf1"):
        from f1_assets import offline

        return getattr(offline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
