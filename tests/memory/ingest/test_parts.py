"""Readers of files and chunkers of users: named in the settings, and no message is lost where they fail."""

import io
from collections.abc import Iterable, Iterator

import pytest

from clawactors.kernel.errors import Refused
from clawactors.memory.ingest.importing import notes_in
from clawactors.memory.ingest.message_extractor import _pieces
from clawactors.memory.models.parts import parts_of
from clawactors.memory.models.settings import MemoryConfig, PartSettings
from clawactors.systems.memories import Content


def read_org(lines: Iterable[str]) -> Iterator[Content]:
    """One memory per headline of Org mode."""
    for line in lines:
        if line.startswith("* "):
            yield Content(text=line[2:].strip(), tags=("org",) if "kiln" in line else ())


def lines_of(settings: PartSettings) -> object:
    """A chunker: one memory per line, without comments."""
    return lambda text: [line for line in text.split("\n") if not line.startswith(settings.options["comment"])]


def test_a_reader_of_ones_own_reads_its_files() -> None:
    file = io.BytesIO(b"* The kiln broke\nwords\n* It rained\n")
    found = list(notes_in(file, "notes.ORG", owner="maya", tags=("t",), readers={"org": read_org}))
    assert [(one.text, one.owner, one.session, one.tags, one.origin) for one in found if isinstance(one, Content)] == [
        ("The kiln broke", "maya", "notes.ORG", ("org",), "import"),
        ("It rained", "maya", "notes.ORG", ("t",), "import"),
    ]


def test_a_reader_that_fails_is_named() -> None:
    with pytest.raises(Refused, match=r"the reader of \.org files fails: ZeroDivisionError"):
        list(notes_in(io.BytesIO(b"x\n"), "a.org", readers={"org": lambda lines: [Content(text=str(1 // 0))]}))


def test_a_chunker_of_ones_own_cuts_messages() -> None:
    config = MemoryConfig(chunk=PartSettings(use=f"{__name__}:lines_of", options={"comment": "#"}))
    assert _pieces("one\n# no\ntwo", parts_of(config).chunker) == ["one", "two"]


@pytest.mark.parametrize("pieces", [[], [""], ["x" * 1_000_000], [None], None])
def test_a_chunker_that_fails_costs_no_message(pieces: list[str]) -> None:
    assert _pieces("The kiln broke.", lambda text: pieces) == ["The kiln broke."]
