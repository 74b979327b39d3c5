"""The endpoints of the API: each file is one, and is found by being there."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from f1_assets.api.endpoint import Endpoint


@functools.cache
def endpoints() -> Mapping[str, Endpoint]:
    """Return every endpoint by its path."""
    found = [
        importlib.import_module(f"{__name__}.{module.name}").ENDPOINT
        for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
    ]
    return MappingProxyType({endpoint.name: endpoint for endpoint in found})
