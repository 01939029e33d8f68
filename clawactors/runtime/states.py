"""States of single aggregates, as control has them; a large one comes in parts."""

import msgspec

from clawactors.kernel.fold import Snapshot
from clawactors.kernel.kind import Home
from clawactors.kernel.transfer import decode_state
from clawactors.runtime.asking import STATE, Outcome, StateQuestion, checked_reply
from clawactors.runtime.questions import Questions

__all__ = ["read_state"]


async def read_state[S](
    questions: Questions,
    kind: str,
    id: str,
    type: type[S],
    at_least: int,
    *,
    brief: bool = False,
    home: Home = Home.CONTROL,
) -> Snapshot[S]:
    """One aggregate, with all its commits up to `at_least`, -1 for all in the log. Raises: `Refused`, `Unavailable`."""
    outcome = await _ask(questions, home, StateQuestion(kind, id, at_least, brief=brief))
    parts, version = [outcome.part], outcome.version
    while (after := sum(map(len, parts))) < outcome.size:
        outcome = await _ask(questions, home, StateQuestion(kind, id, version, after, brief))
        if outcome.version != version:  # it has changed meanwhile: from the beginning
            outcome = await _ask(questions, home, StateQuestion(kind, id, outcome.version, brief=brief))
            parts, version = [], outcome.version
        parts.append(outcome.part)
    state = decode_state(type, outcome.state if outcome.has_state else b"".join(parts))
    return Snapshot(state, outcome.version, outcome.frozen)


async def _ask(questions: Questions, home: Home, question: StateQuestion) -> Outcome:
    answer = await questions.ask(STATE[home], msgspec.json.encode(question))
    return checked_reply(msgspec.json.decode(answer, type=Outcome))
