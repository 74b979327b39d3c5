"""A Formula 1 warehouse that keeps itself complete.

``connect()`` opens it for a notebook; `f1_assets.planning` says what is missing, `f1_assets.importing` fills it.
"""

from f1_assets.connection import connect

__version__ = "0.1.0"

__all__ = ["__version__", "connect"]
