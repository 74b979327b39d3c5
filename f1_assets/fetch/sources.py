"""Where upstream's answers come from when not from the services: a recording, the simulator, or another server."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from f1_assets.errors import ConfigurationError
from f1_assets.fetch.deadlines import Clock, TimedHTTPAdapter
from f1_assets.settings import Settings

if TYPE_CHECKING:
    from f1_assets.simulator.faults import Faults
    from f1_assets.simulator.server import SimulatorServer


NOT_RECORDED = "not in the recording"
"""The reason beside the 404 of what a recording does not have; what it has recorded may be a 404 too."""


def source_kind(source: str) -> str:
    """Return the kind of a source: ``live``, ``recording``, ``simulator`` or ``http``."""
    return source.partition(":")[0].removesuffix("s") if source.startswith("http") else source.partition(":")[0]


def archive_name(settings: Settings) -> str:
    """Name the archive of a source: answers of another recording, server or made-up season must not serve for it."""
    kind = source_kind(settings.source)
    if kind == "live":
        return kind
    made_up = settings.simulator + (f" {settings.simulator_faults}" if settings.simulator_faults else "")
    which = made_up if kind == "simulator" else settings.source
    return f"{kind}-{hashlib.sha256(which.encode()).hexdigest()[:12]}"


def adapter_for(settings: Settings, clock: Clock = time.monotonic) -> BaseAdapter | None:
    """Make what answers requests in place of the network; None for the live services.

    Parameters
    ----------
    settings
        With the source.
    clock
        By which a server's answer has to be whole in time.

    Raises
    ------
    ConfigurationError
        When the recording is absent or damaged, or the simulator's options are wrong.
    """
    source = settings.source
    match source_kind(source):
        case "live":
            return None
        case "recording":
            return AnsweringAdapter(Recording(Path(source.removeprefix("recording:"))).respond)
        case "simulator":
            return AnsweringAdapter(_simulator(settings.simulator, settings.simulator_faults))
        case _:
            return ServerAdapter(source, clock)


@dataclass(frozen=True)
class Answer:
    """A response's status, headers and body, and the reason beside the status, where there is one to give."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str | None = None


class AnsweringAdapter(BaseAdapter):
    """Answers requests from a function instead of the network."""

    def __init__(self, respond: Callable[[str], Any]) -> None:
        super().__init__()
        self._respond = respond

    def send(self, request: requests.PreparedRequest, **_kwargs: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401
        """Answer one request."""
        answer = self._respond(request.url or "")
        raw = HTTPResponse(
            body=io.BytesIO(answer.body),
            headers=dict(answer.headers),
            status=answer.status,
            reason=getattr(answer, "reason", None),
            preload_content=False,
            decode_content=False,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is held open."""


class ServerAdapter(TimedHTTPAdapter):
    """Asks one server for all hosts: what would go to ``https://H/P?Q`` goes to ``SERVER/H/P?Q``."""

    def __init__(self, server: str, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        parts = urlsplit(server)
        host = parts.netloc.rpartition("@")[2]
        self._server = urlunsplit(parts._replace(netloc=host)).rstrip("/")
        self._user = (unquote(parts.username or ""), unquote(parts.password or "")) if parts.username else None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401
        """Send one request to the server, and give its answer under the address that was asked for."""
        asked = urlsplit(request.url or "")
        redirected = request.copy()
        redirected.url = f"{self._server}/{asked.netloc}{urlunsplit(('', '', asked.path, asked.query, ''))}"
        redirected.headers.pop("Authorization", None)
        if self._user is not None:
            redirected.prepare_auth(self._user)
        response = super().send(redirected, **kwargs)
        response.url, response.request = request.url or "", request
        return response


class Recording:
    """A folder of recorded responses: ``index.jsonl`` and a gzip file for each body.

    Parameters
    ----------
    folder
        The folder; each index line has ``url``, ``status``, ``headers`` and ``body``, the body's file in the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        index = self._folder / "index.jsonl"
        try:
            lines = index.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            # What has these was meant to be an address, and may have a password.
            shown = "what it names" if set("@=") & set(str(self._folder)) else self._folder
            raise ConfigurationError(
                f"F1_SOURCE: {shown} is not a recording ({index.name} cannot be read).",
                advice="Name a folder with an index.jsonl, as in F1_SOURCE=recording:DIR.",
            ) from error
        self._entries: dict[str, dict[str, Any]] = {}
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                self._entries[_canonical(entry["url"])] = {
                    "status": int(entry["status"]),
                    "headers": {str(k): str(v) for k, v in entry["headers"].items()},
                    "body": str(entry["body"]),
                }
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise ConfigurationError(
                    f"F1_SOURCE: line {number} of {index} is damaged.", advice="Copy the recording again."
                ) from error

    def respond(self, url: str) -> Answer:
        """Return the recorded response; 404 for what was not recorded.

        Raises
        ------
        requests.ConnectionError
            When the body's file is absent or damaged, as a fault of the connection would.
        """
        entry = self._entries.get(_canonical(url))
        if entry is None:
            return Answer(404, {"content-type": "text/plain"}, NOT_RECORDED.encode(), NOT_RECORDED)
        try:
            path = (self._folder / entry["body"]).resolve()
        except (OSError, ValueError) as error:
            raise requests.ConnectionError(f"the recording names no file as a body: {entry['body']!r}") from error
        if not path.is_relative_to(self._folder.resolve()):
            raise requests.ConnectionError(f"the recording names a body outside its folder: {entry['body']!r}")
        try:
            body = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise requests.ConnectionError(f"the recorded body {entry['body']} cannot be read: {error}") from error
        # The exact bytes are kept, so they are no longer encoded in any way.
        encodings = ("content-encoding", "transfer-encoding", "content-length")
        headers = {k: v for k, v in entry["headers"].items() if k.lower() not in encodings}
        return Answer(entry["status"], headers, body)


def _canonical(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode(sorted(parse_qsl(parts.query))), fragment=""))


def _simulator(options: str, faults: str) -> Callable[[str], Any]:
    from f1_assets.simulator import Simulator, SimulatorOptions
    from f1_assets.simulator.faults import Faults

    try:
        made_up = Simulator(SimulatorOptions.parse(options)).respond
    except ValueError as error:
        raise ConfigurationError(f"F1_SIMULATOR: {error}") from error
    try:
        return _misbehaving(made_up, Faults.parse(faults)) if faults else made_up
    except ValueError as error:
        raise ConfigurationError(f"F1_SIMULATOR_FAULTS: {error}") from error


def _misbehaving(respond: Callable[[str], Any], faults: Faults) -> Callable[[str], Any]:
    """Answer with faults as the simulator's server does; those of the connection are raised as requests raises them."""
    from f1_assets.simulator.faults import SLOW_SECONDS, answer_with

    def answer(url: str) -> Any:  # noqa: ANN401 (whatever answers)
        match faults.of(url):
            case None:
                return respond(url)
            case "slow":
                time.sleep(SLOW_SECONDS)
                return respond(url)
            case "timeout":
                raise requests.ReadTimeout("Read timed out: a fault on demand")
            case "reset":
                raise requests.ConnectionError("Connection reset by peer: a fault on demand")
            case "cut":
                raise requests.exceptions.ChunkedEncodingError("Connection broken in the body: a fault on demand")
            case kind:
                return answer_with(kind)

    return answer


def simulator_server(settings: Settings, host: str, port: int, limits: str) -> SimulatorServer:
    """Make the simulator a server that answers for all upstream hosts.

    Parameters
    ----------
    settings
        With the shape of the made-up season, and its faults.
    host, port
        Where to listen; port 0 is any free one.
    limits
        Beyond these it answers 429.

    Raises
    ------
    ConfigurationError
        When an option cannot be read, or the port is taken.
    """
    from f1_assets.simulator import Simulator, SimulatorOptions
    from f1_assets.simulator.faults import Faults
    from f1_assets.simulator.referee import Referee
    from f1_assets.simulator.server import SimulatorServer

    try:
        made_up = Simulator(SimulatorOptions.parse(settings.simulator))
        return SimulatorServer((host, port), made_up, Referee.parse(limits), Faults.parse(settings.simulator_faults))
    except ValueError as error:
        raise ConfigurationError(f"F1_SIMULATOR, F1_SIMULATOR_FAULTS or --limits: {error}") from error
    except OSError as error:
        words = f"{host}:{port} cannot be listened on: {error.strerror}."
        raise ConfigurationError(words, advice="Choose a --port.") from error
