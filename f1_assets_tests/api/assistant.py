"""An assistant's side of `f1-assets mcp`: the command as a process of its own, and a client session of the SDK."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters, stdio_client

COMMAND = ("-c", "from f1_assets.cli import main; main()")


class Assistant:
    """A client session, called from a test that is not asynchronous."""

    def __init__(self, client: Client, portal: BlockingPortal, not_protocol: list[Exception]) -> None:
        self._client, self._portal = client, portal
        self.not_protocol = not_protocol
        """What came on standard output that is no message of the protocol."""

    def do(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the SDK's client."""

        async def called() -> Any:
            return await getattr(self._client, method)(*arguments, **named)

        return self._portal.call(called)

    @property
    def instructions(self) -> str:
        return str(self._client.instructions)

    def ask(self, tool: str, **arguments: Any) -> Any:
        """Call a tool that answers: its document, which is its text too."""
        result = self.do("call_tool", tool, arguments)
        (text,) = (each.text for each in result.content)
        assert not result.is_error, text
        assert json.loads(text) == result.structured_content
        return result.structured_content

    def refusal(self, tool: str, **arguments: Any) -> str:
        """Call a tool that refuses, and say in which words."""
        result = self.do("call_tool", tool, arguments)
        (text,) = (each.text for each in result.content)
        assert result.is_error, text
        return str(text)


@contextlib.contextmanager
def assistant(command: str, arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> Iterator[Assistant]:
    """Start a server and open a session; what it writes to standard error goes to a file."""
    not_protocol: list[Exception] = []

    async def note(message: object) -> None:
        if isinstance(message, Exception):
            not_protocol.append(message)

    parameters = StdioServerParameters(command=command, args=[*arguments], env=environment)
    with log.open("w", encoding="utf-8") as errors, start_blocking_portal() as portal:
        client = Client(stdio_client(parameters, errlog=errors), message_handler=note)
        with portal.wrap_async_context_manager(client):
            yield Assistant(client, portal, not_protocol)


def command_of(home: Path, *options: str) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """Return the command of this checkout on a home, and its environment."""
    root = str(Path(__file__).parents[2])
    return sys.executable, (*COMMAND, *options, "mcp"), {"F1_HOME": str(home), "PYTHONPATH": root}
