"""Write the browser's copy of Vega, Vega-Lite and Vega-Embed: ``make vega``, after a new vl-convert-python.

The board serves the file itself, so that its pages ask no other host. It has the expression interpreter, with which
charts are drawn under a content security policy without ``unsafe-eval``. ``vega.LICENSE.txt`` has the licences.
"""

from __future__ import annotations

from pathlib import Path

import altair
import vl_convert

BUNDLE = Path(__file__).parent.parent / "f1_assets" / "board" / "static" / "vega.js"


def bundle() -> str:
    """Return the script: a line with its versions and licences, and what vl-convert makes of the three libraries."""
    vega_lite = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])  # what Altair writes
    versions = (
        f"Vega {vl_convert.get_vega_version()}, Vega-Lite {vega_lite}, "
        f"Vega-Embed {vl_convert.get_vega_embed_version()}, by vl-convert-python {vl_convert.__version__}"
    )
    return f"/*! {versions}. Licences: vega.LICENSE.txt */\n{vl_convert.javascript_bundle(vl_version=vega_lite)}\n"


if __name__ == "__main__":
    BUNDLE.write_text(bundle(), encoding="utf-8")
    print(BUNDLE.read_text(encoding="utf-8").partition("\n")[0])
