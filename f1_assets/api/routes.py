"""``/v1/...`` over HTTP: JSON or CSV, streamed, with a tag, and with the reason where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from f1_assets.api.answers import body, entity_tag, peeked, pieces_of, query_of, stamps_of, why_empty
from f1_assets.api.endpoint import Endpoint
from f1_assets.api.endpoints import endpoints
from f1_assets.api.examples import EXAMPLES
from f1_assets.api.filters import Kind
from f1_assets.api.kept import Kept
from f1_assets.errors import UsageError
from f1_assets.warehouse import Warehouse

_ANYWHERE = {"access-control-allow-origin": "*", "access-control-expose-headers": "ETag, F1-Status, Link"}
"""Pages of others may read: nothing here is secret, and nothing can be changed."""

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.INTEGER: {"type": ["integer", "null"]},
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.BOOLEAN: {"type": ["boolean", "null"]},
    Kind.DATE: {"type": ["string", "null"], "format": "date-time"},
    Kind.LIST: {"type": "array", "items": {"type": ["integer", "null"]}},
    Kind.MIXED: {"type": ["number", "string", "array", "null"], "items": {"type": ["number", "null"]}},
}

_ASKED: dict[Kind, dict[str, Any]] = {
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.TEXT: {"type": "string"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATE: {"type": "string"},
    Kind.MIXED: {"type": ["number", "string"]},
}
"""Of what kind a value is that a field is compared with; a date may be any that people write."""

_KEY = {"anyOf": [{"type": "integer"}, {"const": "latest"}]}

_REFUSED: dict[str, Any] = {
    "description": "What is wrong with the query.",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
        }
    },
}


def add_to(app: FastAPI) -> None:
    """Answer under ``/v1`` of an application whose state has a warehouse."""
    router = APIRouter(prefix="/v1", tags=["OpenF1"])
    for endpoint in endpoints().values():
        router.add_api_route(
            f"/{endpoint.name}",
            _answering(endpoint),
            methods=["GET"],
            summary=endpoint.summary[:1].upper() + endpoint.summary[1:],
            operation_id=f"v1_{endpoint.name}",
            response_class=Response,
            responses={200: _described(endpoint), 400: _REFUSED},
            openapi_extra={"parameters": _parameters(endpoint)},
        )
        router.add_api_route(f"/{endpoint.name}", _answering(endpoint), methods=["HEAD"], include_in_schema=False)
    app.include_router(router)
    app.state.kept = Kept()


def _answering(endpoint: Endpoint) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        text = request.url.query
        warehouse: Warehouse = request.app.state.warehouse()
        try:
            query = query_of(warehouse, endpoint, text)
        except UsageError as error:
            return JSONResponse({"error": str(error)}, 400, _ANYWHERE)
        stamps = stamps_of(warehouse, query)
        headers = {**_ANYWHERE, "etag": entity_tag(query, stamps, text), "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        is_there, found = peeked(pieces_of(warehouse, query, stamps, request.app.state.kept))
        reason = None if is_there else why_empty(warehouse, query)
        if reason is not None:
            status, sessions = reason
            headers["f1-status"] = str(status)
            headers["link"] = f'</session/{sessions[-1].key}>; rel="describedby"'
        if query.as_csv:
            headers["content-disposition"] = f"attachment; filename={endpoint.name}.csv"
        media_type = "text/csv; charset=utf-8" if query.as_csv else "application/json"
        return StreamingResponse(body(query, found), headers=headers, media_type=media_type)

    answer.__name__ = f"v1_{endpoint.name}"
    return answer


def _described(endpoint: Endpoint) -> dict[str, Any]:
    fields = {name: _TYPES[kind] for name, kind in endpoint.all_fields.items()}
    row = {"type": "object", "properties": fields, "required": list(fields)}
    rows = {"schema": {"type": "array", "items": row}, "example": [{name: EXAMPLES[name] for name in fields}]}
    return {
        "description": f"Each row is {endpoint.summary}.",
        "content": {"application/json": rows, "text/csv": {}},
    }


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        *(_filter(name, kind) for name, kind in endpoint.all_fields.items() if kind is not Kind.LIST),
        _option("csv", "true for CSV", {"type": "boolean"}, False),
        _option("limit", "So many rows at most", {"type": "integer", "minimum": 0}, 100),
        _option("offset", "Leave out so many rows", {"type": "integer", "minimum": 0}, 0),
    ]


def _filter(name: str, kind: Kind) -> dict[str, Any]:
    description = f"A {kind.value}; compared with >, <, >= and <= too, and named twice for either."
    if name in ("session_key", "meeting_key"):
        return _option(name, description, _KEY, "latest")
    return _option(name, description, _ASKED[kind], EXAMPLES[name])


def _option(name: str, description: str, schema: dict[str, Any], example: object) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema, "example": example}
