"""What destroys something needs a person. Who writes the calls of an agent may be somebody else's text.

1. `--allow-destructive`: the person who started the server has agreed to all of it.
2. A client that can ask its person does so (elicitation). A stateless client is asked to call again with the answer,
   which counts for the same call only (`RequestStateBoundary` of the SDK).
3. Else a task of the skill `ask-approval` asks, as for any approval of the cluster: `claw approvals` shows it, and
   what else follows approvals. The agent calls again; one approval counts for one call, within an hour.
4. Where no node could ask, the call is refused with what to do.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from clawactors.app.mcp.calling import CallContext
from clawactors.app.mcp.cutting import cut_text
from clawactors.app.mcp.tooling import McpTool
from clawactors.app.problem import Problem
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.naming import new_id
from clawactors.systems.tasks import FINAL

__all__ = ["APPROVAL_SKILL", "Consent"]

APPROVAL_SKILL: Final = "ask-approval"
_KEY: Final = "consent"
_OPEN_MAX: Final = 20
_OPEN_S: Final = 3600.0
_SHOWN: Final = 1500
_FORM: Final = {
    "type": "object",
    "properties": {
        "approve": {"type": "boolean", "title": "Approve", "description": "Let the agent do this", "default": False}
    },
    "required": ["approve"],
}
_HOW: Final = "start it with `claw mcp --allow-destructive` to allow such calls"


class Consent:
    """The approvals of one server."""

    def __init__(self) -> None:
        self._server, self._used = new_id(), dict[str, int]()
        self._open: dict[str, float] = {}

    async def ask(
        self,
        call: CallContext,
        tool: McpTool,
        arguments: Mapping[str, Any],
        ctx: ServerRequestContext[Any, Any],
        params: CallToolRequestParams,
    ) -> InputRequiredResult | None:
        """Returns None once a person has approved the call, or the question that the client has to put first.

        Raises: `Problem` where the person has denied it, has yet to answer, or can't be asked.
        """
        if call.options.allow_destructive or not tool.asks(arguments):
            return None
        question = _question(call, tool, arguments)
        if not _can_elicit(ctx):
            await self._ask_by_task(call, tool, arguments, question)
            return None
        form = ElicitRequestFormParams(message=question, requested_schema=_FORM)
        if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            try:
                answer = await ctx.session.elicit_form(question, _FORM, related_request_id=ctx.request_id)
            except MCPError as error:
                raise Problem("refused", f"the client could not ask its person: {error}", _HOW) from None
            _check(answer)
            return None
        if params.request_state != _KEY or not params.input_responses:
            return InputRequiredResult(input_requests={_KEY: ElicitRequest(params=form)}, request_state=_KEY)
        _check(params.input_responses.get(_KEY))
        return None

    async def _ask_by_task(self, call: CallContext, tool: McpTool, arguments: Mapping[str, Any], question: str) -> None:
        client = await call.client()
        await _check_askable(client, tool)
        encoded = msgspec.json.encode([self._server, tool.name, arguments], order="deterministic")
        digest = hashlib.blake2b(encoded, digest_size=10).hexdigest()
        used = self._used.get(digest, 0)
        id = f"mcp-{digest}-{used}"
        self._bound(id)
        await client.submit(APPROVAL_SKILL, {"question": question}, id=id, tags=["mcp"], name=f"approval: {tool.name}")
        row = await client.task(id)
        if self._used.get(digest, 0) != used:
            taken = "the approval was used by another call of the same kind"
            raise Problem("refused", taken, "make the very same call again: it asks anew")
        if row.status in FINAL:
            self._used[digest] = used + 1
            self._open.pop(id, None)
        if row.status == "completed" and isinstance(row.result, dict):
            if row.result.get("approved"):
                return
            by = row.result.get("by") or "nobody, in time"
            said = f": {row.result['comment']}" if row.result.get("comment") else ""
            denial = f"{tool.name} was not approved (answered by {by}{said})"
            raise Problem("refused", denial, "do not try it again unless the person asks for it")
        raise Problem(
            "refused",
            f"{tool.name} needs a person: approval {id} asks for it",
            f"ask the person to run `claw approve {id}`, then make the very same call again",
            extra={"approval": id},
        )

    def _bound(self, id: str) -> None:
        """A person who is asked too much approves everything. Raises: `Problem`."""
        now_s = time.monotonic()
        self._open = {each: at_s for each, at_s in self._open.items() if now_s - at_s < _OPEN_S}
        if id not in self._open and len(self._open) >= _OPEN_MAX:
            waiting = f"{_OPEN_MAX} calls of this server wait for a person already"
            raise Problem("refused", waiting, "ask the person to answer them: claw approvals lists them")
        self._open.setdefault(id, now_s)


async def _check_askable(client: ClusterClient, tool: McpTool) -> None:
    if not await client.nodes(skill=APPROVAL_SKILL):
        raise Problem("refused", f"{tool.name} needs a person, and no node is there to ask one", _HOW)


def _can_elicit(ctx: ServerRequestContext[Any, Any]) -> bool:
    declared = ctx.session.client_capabilities
    elicitation = declared.elicitation if declared else None
    if elicitation is None or (elicitation.url is not None and elicitation.form is None):
        return False
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS or bool(ctx.session.can_send_request)


def _question(call: CallContext, tool: McpTool, arguments: Mapping[str, Any]) -> str:
    given = {name: value for name, value in arguments.items() if value not in ("", [], {}, None, False)}
    shown = cut_text(msgspec.json.encode(given).decode(), _SHOWN)
    return f"{call.agent[:100]}, for {call.options.user[:60]}, wants to call {tool.name}({shown})"


def _check(answer: Any) -> None:
    """Raises: `Problem` unless the person has agreed."""
    if not isinstance(answer, ElicitResult):
        raise Problem("refused", "no person has answered", _HOW)
    if answer.action == "accept" and (answer.content or {}).get("approve") is True:
        return
    raise Problem("refused", "a person denied this call", "do not try it again unless the person asks for it")
