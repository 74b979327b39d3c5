"""Write the generated docs: run by `make docs`; a test says when they are stale."""

from pathlib import Path

from f1_assets.cli import reference, retry_reference
from f1_assets.datasets import dictionary

GENERATED = {
    "commands.md": reference.markdown,
    "data-dictionary.md": dictionary.markdown,
    "retries.md": retry_reference.markdown,
}


def main() -> None:
    """Write each generated file."""
    for name, write in GENERATED.items():
        Path(__file__).with_name(name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
