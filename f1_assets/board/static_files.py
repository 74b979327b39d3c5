"""The files of the pages: an address that names a file's content by its hash may be cached for good."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"


@functools.cache
def static(name: str) -> str:
    """Return the address of a file, which changes with its content, so that no browser shows an old one."""
    return f"/static/{name}?{_hash(name)}"


@functools.cache
def _hash(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


class HashedFiles(StaticFiles):
    """Serves the folder; what is asked for with its hash is kept by browsers for a year, the rest asked for anew."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        response = await super().get_response(path, scope)
        asked = scope["query_string"].decode("ascii", "replace")
        if asked and response.status_code in (200, 304) and asked == _hash(path):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response
