"""The tools that a server offers, by its options."""

from typing import Final

from clawactors.app.mcp.options import McpOptions
from clawactors.app.mcp.tooling import McpTool
from clawactors.app.mcp.tools import (
    care,
    changing,
    cluster,
    files,
    letters,
    levels,
    memories,
    notices,
    past,
    reading,
    schedules,
    submitting,
)

__all__ = ["ALL_TOOLS", "tools_for"]

ALL_TOOLS: Final[tuple[McpTool, ...]] = (
    *submitting.TOOLS,
    *reading.TOOLS,
    *files.TOOLS,
    *changing.TOOLS,
    *memories.TOOLS,
    *levels.TOOLS,
    *cluster.TOOLS,
    *schedules.TOOLS,
    *past.TOOLS,
    *care.TOOLS,
    *notices.TOOLS,
    *letters.TOOLS,
)


def tools_for(options: McpOptions) -> dict[str, McpTool]:
    """The tools of the chosen groups; with `read_only`, those that change nothing."""
    return {
        each.name: each
        for each in ALL_TOOLS
        if each.group in options.groups and (each.effect == "read" or not options.read_only)
    }
