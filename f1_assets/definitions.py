"""The front door for Dagster: one Definitions object, no logic."""

from f1_assets.garbage import loading_libraries

with loading_libraries():
    from f1_assets.defs.build import build_defs

defs = build_defs()
