"""The page of rights is made of the tables."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_fits_the_tables() -> None:
    spec = importlib.util.spec_from_file_location("rights_page", DOCS / "rights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "rights.md").read_text(encoding="utf-8") == module.page(), "run `python docs/rights.py`"
