"""The command ``f1-assets``."""

from f1_assets.garbage import loading_libraries

with loading_libraries():
    from f1_assets.cli.app import main

__all__ = ["main"]
