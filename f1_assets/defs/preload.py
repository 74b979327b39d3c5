"""What a process that runs sessions has loaded before it is forked off."""

from importlib import import_module

from f1_assets.garbage import loading_libraries

with loading_libraries():
    for _module in (
        "f1_assets.definitions",
        "f1_assets.defs.runs",
        "f1_assets.fetch.loader",
        "f1_assets.warehouse.lake",
    ):
        import_module(_module)
