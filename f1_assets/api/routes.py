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
            responses={200: _described(endpoint), 400: {"description": "What is wrong with the query."}},
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
    return {
        "description": f"Each row is {endpoint.summary}.",
        "content": {"application/json": {"schema": {"type": "array", "items": row}}, "text/csv": {}},
    }


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    filters = [
        {
            "name": name,
            "in": "query",
            "description": f"A {kind.value}; compared with >, <, >= and <= too, and named twice for either.",
            "schema": {"type": "string"},
            **({"example": "latest"} if name in ("session_key", "meeting_key") else {}),
        }
        for name, kind in endpoint.all_fields.items()
        if kind is not Kind.LIST
    ]
    options = [
        {"name": "csv", "in": "query", "description": "true for CSV", "schema": {"type": "boolean"}},
        {"name": "limit", "in": "query", "description": "So many rows at most", "schema": {"type": "integer"}},
        {"name": "offset", "in": "query", "description": "Leave out so many rows", "schema": {"type": "integer"}},
    ]
    return [*filters, *options]
