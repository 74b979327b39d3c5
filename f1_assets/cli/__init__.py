"""The command ``f1-assets``."""

from f1_assets.cli.app import main

__all__ = ["main"]
