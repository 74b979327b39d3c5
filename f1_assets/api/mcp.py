"""The server of the Model Context Protocol: `tools` and the data dictionary, over standard input and output.

Its SDK is an extra, imported when the server starts. The SDK runs each tool in a thread of its own.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from f1_assets import __version__
from f1_assets.api.bounded import written
from f1_assets.api.tools import INSTRUCTIONS, Answer, Tools
from f1_assets.datasets import dictionary, every_dataset
from f1_assets.errors import ConfigurationError, F1AssetsError
from f1_assets.reader import MissingDataWarning, Reader

DICTIONARY = "f1-assets://data-dictionary"
_TOOLS = (
    "list_seasons",
    "session_status",
    "describe_data",
    "query_sql",
    "rows",
    "compare_laps",
    "race_summary",
)


def serve(open_reader: Callable[[], Reader]) -> None:
    """Answer an assistant until it closes standard input.

    Parameters
    ----------
    open_reader
        Opens what is read.

    Raises
    ------
    ConfigurationError
        When the SDK is not installed, or the warehouse cannot be opened.
    """
    try:
        from mcp.server.mcpserver import MCPServer
    except ImportError as error:
        raise ConfigurationError(
            "The MCP SDK, version 2, is not installed.", advice='Run: pip install "f1_assets[mcp]"'
        ) from error
    with open_reader() as reader:
        # What is missing is in the answers.
        warnings.simplefilter("ignore", MissingDataWarning)
        server = MCPServer("f1-assets", title="Formula 1 warehouse", instructions=INSTRUCTIONS, version=__version__)
        _add_tools(server, Tools(reader))
        _add_dictionary(server)
        server.run()


def _add_tools(server: Any, tools: Tools) -> None:  # noqa: ANN401 (the SDK's server)
    from mcp.types import ToolAnnotations

    reads = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    for name in _TOOLS:
        server.add_tool(_answering(getattr(tools, name)), annotations=reads)


def _answering(tool: Callable[..., Answer]) -> Callable[..., Any]:
    """Return a tool that answers with compact JSON, as text and as a document, and with errors in words."""
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import CallToolResult, TextContent

    @functools.wraps(tool)
    def answer(**arguments: Any) -> Any:  # noqa: ANN401 (those of the tool; a result of the SDK)
        try:
            found = tool(**arguments)
        except F1AssetsError as error:
            raise ToolError(str(error)) from error
        return CallToolResult(content=[TextContent(type="text", text=written(found))], structured_content=found)

    return answer


def _add_dictionary(server: Any) -> None:  # noqa: ANN401 (the SDK's server)
    from mcp.server.mcpserver.exceptions import ResourceNotFoundError
    from mcp.types import Completion

    @server.resource(  # type: ignore[untyped-decorator]
        DICTIONARY,
        name="data_dictionary",
        title="Data dictionary",
        description="All datasets: what a row of each is, and where its columns are explained.",
        mime_type="text/markdown",
    )
    def data_dictionary() -> str:
        rows = [f"| [{each.name}]({DICTIONARY}/{each.name}) | {each.row} |" for each in every_dataset().values()]
        return "\n".join(["# Data dictionary", "", "| dataset | one row per |", "| --- | --- |", *rows, ""])

    @server.resource(  # type: ignore[untyped-decorator]
        DICTIONARY + "/{dataset}",
        name="dataset",
        title="A dataset of the data dictionary",
        description="What a dataset is made of, its columns with types and units, its checks.",
        mime_type="text/markdown",
    )
    def dataset_section(dataset: str) -> str:
        if dataset not in every_dataset():
            raise ResourceNotFoundError(f"There is no dataset {dataset[:60]!r}. {DICTIONARY} lists all.")
        return dictionary.section(every_dataset()[dataset])

    @server.completion()  # type: ignore[untyped-decorator]
    async def names(_ref: Any, argument: Any, _context: Any) -> Completion:  # noqa: ANN401 (the SDK's classes)
        return Completion(values=[name for name in every_dataset() if name.startswith(argument.value)][:100])
