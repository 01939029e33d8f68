"""`memory.extract`: six attempts with waits of 1 to 16 s, whatever the trouble; a wrong payload is given up."""

import pytest

from clawactors.app.skills.extract import extract
from clawactors.eventlog import NoResponders, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.failure import classify
from clawactors.systems.chats.events import EXTRACT_ATTEMPTS
from clawactors.systems.tasks.retry import after_failure

TROUBLES = [NoResponders("nobody answers"), Unavailable("no answer"), RuntimeError("a fault"), OSError("disk")]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: type(trouble).__name__)
def test_six_attempts_with_these_waits(trouble: Exception) -> None:
    error, strategy = classify(trouble, extract.errors)
    assert strategy == "here"
    verdicts = [after_failure(extract.retry, strategy, failures, None, 0, 0.3) for failures in range(EXTRACT_ATTEMPTS)]
    assert [verdict.then for verdict in verdicts] == ["retry"] * 5 + ["dead"]
    assert [verdict.retry_at_ns / 1e9 for verdict in verdicts[:-1]] == [1, 2, 4, 8, 16]
    assert len(classify(ValueError("x" * 10_000), extract.errors)[0].message) <= 2000
    assert error.message


def test_a_wrong_payload_is_given_up() -> None:
    assert classify(Refused("an extraction names its user"), extract.errors)[1] == "give_up"
