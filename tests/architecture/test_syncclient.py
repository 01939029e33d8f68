"""What type checkers read of `SyncClient` follows from the sources of the async client."""

from tests.app import syncstub


def test_what_type_checkers_read_is_what_there_is() -> None:
    assert syncstub.STUB.read_text("utf-8") == syncstub.stub(), "run `python -m tests.app.syncstub`"
