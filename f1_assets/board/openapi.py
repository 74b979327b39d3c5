"""The description of the API, from the same dataclasses that its answers are made of."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from f1_assets import __version__
from f1_assets.warehouse import Status


@dataclass(frozen=True)
class Problem:
    """What is answered when something is wrong, with what to do about it."""

    status: int
    error: str
    advice: str


@dataclass(frozen=True)
class Operation:
    """An address of the API: what it gives, of which type, and what it can be asked for."""

    path: str
    name: str
    summary: str
    answer: Any
    parameters: Sequence[Mapping[str, Any]] = ()

    @functools.cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What writes its answer as JSON, and describes it."""
        return TypeAdapter(self.answer)


def in_path(name: str, description: str, example: str) -> Mapping[str, Any]:
    """Describe a part of an address."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


def in_query(name: str, description: str, choices: Sequence[str] = ()) -> Mapping[str, Any]:
    """Describe a word of a query, which may be given several times."""
    item: dict[str, Any] = {"type": "string"}
    if choices:
        item["enum"] = list(choices)
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "array", "items": item},
        "explode": True,
    }


STATUSES = [str(status) for status in Status]


def openapi(operations: Sequence[Operation]) -> dict[str, Any]:
    """Describe the operations as OpenAPI 3.1 does."""
    problem = TypeAdapter(Problem)
    inputs: list[tuple[str, Any, TypeAdapter[Any]]] = [(o.path, "serialization", o.adapter) for o in operations]
    schemas, definitions = TypeAdapter.json_schemas(
        [*inputs, ("problem", "serialization", problem)], ref_template="#/components/schemas/{model}"
    )
    problems = {"application/json": {"schema": schemas["problem", "serialization"]}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "f1_assets season board",
            "version": __version__,
            "description": "How complete the warehouse is. Read-only; times are in UTC.",
        },
        "paths": {
            o.path: {
                "get": {
                    "operationId": o.name,
                    "summary": o.summary,
                    "parameters": list(o.parameters),
                    "responses": {
                        "200": {
                            "description": o.summary,
                            "content": {"application/json": {"schema": schemas[o.path, "serialization"]}},
                        },
                        "404": {"description": "There is no such season or session.", "content": problems},
                        "503": {"description": "The warehouse cannot be read.", "content": problems},
                    },
                }
            }
            for o in operations
        },
        "components": {"schemas": definitions["$defs"]},
    }
