"""What `/v1` costs a caller, beside the same rows as documents in OpenF1's form, kept in SQLite and sent as they are.

Both are served by two processes, on a simulated season of two weekends; F1_BENCH_RACES=24 is a whole one. Callers are
threads of this process, which read each answer to its end. MongoDB, which OpenF1 uses, is on no package index.
"""

import http.client
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from f1_assets.api.answers import body, pieces_of, query_of, stamps_of
from f1_assets.api.endpoints import endpoints
from f1_assets.api.kept import Kept
from f1_assets.context import Context
from f1_assets.importing import import_season
from f1_assets.settings import load_settings

SEASON = 2025
RACES = int(os.environ.get("F1_BENCH_RACES", "2"))
DRIVER = 12
ALONE, CALLERS, EACH = 20, 50, 4
PORT = re.compile(r"127\.0\.0\.1:(\d+)")


def main() -> None:
    """Import the season, write it as documents, serve both, and ask both in turn."""
    home = Path(tempfile.mkdtemp())
    options = {"source": "simulator", "simulator": f"races={RACES},tests=0,sprints=1", "quota": "any=100000/1h"}
    settings = load_settings(home=home, workers=2, **options)
    context = Context.open(settings)
    import_season(SEASON, warehouse=context.warehouse, transport=context.transport)
    race = max(each["session_key"] for each in _rows(context, "sessions", "session_key=latest"))
    queries = {
        "laps of the season": ("laps", f"date_start>={SEASON}-01-01&date_start<={SEASON}-12-31"),
        "laps of a race": ("laps", f"session_key={race}"),
        "a driver's car_data of a race": ("car_data", f"session_key={race}&driver_number={DRIVER}"),
        "the latest session": ("sessions", "session_key=latest"),
        "the latest session's weather": ("weather", "session_key=latest"),
    }
    _write_documents(context, home / "documents.db", queries)
    environment = {**os.environ, "F1_HOME": str(home), **{f"F1_{k.upper()}": v for k, v in options.items()}}
    ours = [sys.executable, "-c", "from f1_assets.cli import main; main()", "serve", "--port", "0", "--workers", "2"]
    documents = [sys.executable, __file__, str(home / "documents.db")]
    with _serving(ours, environment) as here, _serving(documents, environment) as there:
        for name, (endpoint, query) in queries.items():
            path = f"/v1/{endpoint}?{query}".replace(">", "%3E").replace("<", "%3C")
            for callers in (1, CALLERS):
                mine, theirs = _ask(here.port, there.port, path, callers)
                print(f"{name}, {callers} caller(s): {_shown(mine)}; documents: {_shown(theirs)}", end="")
                print(f"; ratio of medians {statistics.median(mine) / statistics.median(theirs):.1f}")


def _rows(context: Context, endpoint: str, text: str) -> list[dict]:
    query = query_of(context.warehouse, endpoints()[endpoint], text)
    pieces = pieces_of(context.warehouse, query, stamps_of(context.warehouse, query), Kept())
    return json.loads(b"".join(body(query, pieces)))


def _write_documents(context: Context, file: Path, queries: dict) -> None:
    """Write the rows of each endpoint that is asked, one document each, with an index by session and driver."""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE documents (endpoint, session_key, driver_number, date, document)")
        for endpoint in {endpoint for endpoint, _ in queries.values()}:
            text = f"driver_number={DRIVER}" if endpoint == "car_data" else ""
            connection.executemany(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?)",
                (
                    (
                        endpoint,
                        row["session_key"],
                        row.get("driver_number"),
                        row.get("date") or row.get("date_start"),
                        json.dumps(row),
                    )
                    for row in _rows(context, endpoint, text)
                ),
            )
        connection.execute("CREATE INDEX of_session ON documents (endpoint, session_key, driver_number)")
        connection.execute("CREATE INDEX by_date ON documents (endpoint, date)")


class _serving:
    """A server in processes of its own, which says its address."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "_serving":
        self.port = int(PORT.search(self._process.stdout.readline()).group(1))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _ask(mine: int, theirs: int, path: str, callers: int) -> tuple[list[float], list[float]]:
    """Ask both servers in turn; return the seconds of each answer."""
    seconds: dict[int, list[float]] = {mine: [], theirs: []}
    first = {port: [_answer(port, path) for _ in range(4)] for port in (mine, theirs)}  # of both processes
    assert 0.5 < first[mine][0][1] / first[theirs][0][1] < 2, first
    if callers == 1:
        print(
            f"{path}: first answers {first[mine][0][0] * 1000:.0f} ms; documents: {first[theirs][0][0] * 1000:.0f} ms"
        )
    for _ in range(ALONE if callers == 1 else EACH):
        for port in (mine, theirs):
            with ThreadPoolExecutor(callers) as pool:
                found = list(pool.map(lambda _, port=port: _answer(port, path)[0], range(callers)))
            seconds[port] += found
    return seconds[mine], seconds[theirs]


def _answer(port: int, path: str) -> tuple[float, int]:
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request("GET", path)
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    assert answer.status == 200, (answer.status, path)
    return time.perf_counter() - started, size


def _shown(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    return f"p50 {statistics.median(ordered) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"


def serve_documents(file: str) -> None:
    """Serve the documents: each answer is one query and its documents, joined."""
    import socket

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config("openf1_api:app", workers=2, log_level="warning")
    os.environ["F1_BENCH_DOCUMENTS"] = file
    sys.stdout.write(f"documents on 127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    Multiprocess(config, sockets=[listener]).run()


_connections = threading.local()


def _documents(endpoint: str, query: dict[str, str]) -> bytes:
    if not hasattr(_connections, "one"):
        _connections.one = sqlite3.connect(os.environ["F1_BENCH_DOCUMENTS"])
    conditions, values = ["endpoint = ?"], [endpoint]
    for name, value in query.items():
        field, operator = name.rstrip("<>"), name[len(name.rstrip("<>")) :]
        if value == "latest":
            conditions.append("session_key = (SELECT max(session_key) FROM documents)")
            continue
        column = "date" if field.startswith("date") else field
        conditions.append(f"{column} {operator or ''}= ?")
        values.append(int(value) if value.isdigit() else value)
    rows = _connections.one.execute(f"SELECT document FROM documents WHERE {' AND '.join(conditions)}", values)
    return f"[{','.join(row[0] for row in rows)}]".encode()


def _application():
    from fastapi import FastAPI
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.requests import Request
    from starlette.responses import Response

    made = FastAPI(middleware=[Middleware(GZipMiddleware, compresslevel=4)])

    @made.get("/v1/{endpoint}")
    def answer(endpoint: str, request: Request) -> Response:
        return Response(_documents(endpoint, dict(request.query_params)), media_type="application/json")

    return made


if "F1_BENCH_DOCUMENTS" in os.environ:
    app = _application()

if __name__ == "__main__":
    serve_documents(sys.argv[1]) if len(sys.argv) > 1 else main()
