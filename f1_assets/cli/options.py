"""Options and arguments that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Seasons = Annotated[str, typer.Argument(metavar="SEASONS", help="2024, 2018-2026 or 2024,2026.")]

Workers = Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Sessions side by side (F1_WORKERS).")]

BOARD_HOST, BOARD_PORT = "127.0.0.1", 8050
"""Where ``serve`` listens unless it is told otherwise."""
