"""Tools, prompts, answers and errors in the types of the SDK."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import mcp_types as types
import msgspec
from mcp.shared.exceptions import MCPError

from clawactors.app.mcp.errors import problem_for_agent
from clawactors.app.mcp.exports import SKILL_OUTPUT, ExportedSkill
from clawactors.app.mcp.prompts import PROMPTS
from clawactors.app.mcp.tooling import McpTool

__all__ = ["answer_of", "as_protocol_errors", "failure_of", "prompt_shown", "skill_shown", "tool_shown"]

_RESOURCE_NOT_FOUND: Final = -32002


def tool_shown(tool: McpTool) -> types.Tool:
    """A tool as lists show it."""
    hints = types.ToolAnnotations(
        title=tool.title,
        read_only_hint=tool.effect == "read",
        destructive_hint=tool.effect == "destroy",
        idempotent_hint=tool.idempotent,
        open_world_hint=False,
    )
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=hints,
    )


def skill_shown(skill: ExportedSkill) -> types.Tool:
    """A skill as lists of tools show it. What it does to the world nobody knows, so clients are told the worst."""
    return types.Tool(
        name=skill.name,
        title=skill.title,
        description=skill.description,
        input_schema=skill.input_schema,
        output_schema=SKILL_OUTPUT,
        annotations=types.ToolAnnotations(title=skill.title, read_only_hint=False, open_world_hint=True),
    )


def prompt_shown(name: str) -> types.Prompt:
    """A prompt as lists show it."""
    prompt = PROMPTS[name]
    arguments = [
        types.PromptArgument(name=each, description=text, required=default is None)
        for each, (text, default) in prompt.arguments.items()
    ]
    return types.Prompt(name=name, title=prompt.title, description=prompt.description, arguments=arguments)


def answer_of(document: dict[str, Any]) -> types.CallToolResult:
    """An answer, as data and as the same text for clients that take only text."""
    text = msgspec.json.encode(document).decode()
    plain: Any = msgspec.json.decode(text)
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=plain)


def failure_of(error: BaseException) -> types.CallToolResult:
    """What is wrong with a call, as its result."""
    told = problem_for_agent(error)
    text = f"{told['code']}: {told['message']}" + (f" ({told['hint']})" if told["hint"] else "")
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content={"error": told}, is_error=True
    )


@contextmanager
def as_protocol_errors() -> Iterator[None]:
    """Errors of the core become errors of the protocol, with their reason. Raises: `MCPError`."""
    try:
        yield
    except MCPError:
        raise
    except Exception as error:
        told = problem_for_agent(error)
        code = {"not_found": _RESOURCE_NOT_FOUND, "usage": types.INVALID_PARAMS, "refused": types.INVALID_PARAMS}
        raise MCPError(
            code.get(told["code"], types.INTERNAL_ERROR), f"{told['message']} ({told['hint']})", data={"error": told}
        ) from None
