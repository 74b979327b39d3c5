"""Options and arguments that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Seasons = Annotated[str, typer.Argument(metavar="SEASONS", help="2024, 2018-2026 or 2024,2026.")]
