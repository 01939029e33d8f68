"""The question about what could not be folded, and about nodes that write without authority."""

from itertools import islice
from typing import Any, Final

from clawactors.projections.engine.faults import counts, frozen, unauthorized_writers
from clawactors.projections.engine.pages import checked_limit
from clawactors.projections.engine.questions import QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.view import ViewDefinition

__all__ = ["FAULTS_VIEW", "FaultsQuestion"]


class FaultsQuestion(ViewQuestion, frozen=True, kw_only=True):
    """Faults by sort, `frozen` aggregates that need a newer release, `unauthorized` writers; at most `limit` each."""

    limit: int = 100


def _faults(question: FaultsQuestion, context: QueryContext) -> dict[str, Any]:
    limit, reading = checked_limit(question.limit), context.reading
    return {
        "faults": counts(reading),
        "frozen": [
            {"kind": kind, "id": id, "seq": since.seq, "reason": since.reason}
            for kind, id, since in islice(frozen(reading), limit)
        ],
        "unauthorized": unauthorized_writers(reading)[:limit],
    }


FAULTS_VIEW: Final = ViewDefinition(questions=(QuestionHandler("faults", FaultsQuestion, _faults),))
