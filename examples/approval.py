"""A person decides: `claw up --skills examples/approval.py`, `claw submit publish '{"text": "Hi"}' --id p-1`, then
`claw signal p-1 approve '{"by": "Ada", "ok": true}'`, a minute or a year later.
"""

from typing import Any

from clawactors import Task, skill


@skill("publish")
async def publish(task: Task, text: str) -> str:
    """While it waits it holds no slot, and a restart of everything changes nothing."""
    draft = await task.step("draft", write, text)
    try:
        answer: dict[str, Any] = await task.signal("approve", timeout="30d")
    except TimeoutError:
        return "nobody decided"
    if not answer.get("ok"):
        return f"withdrawn by {answer.get('by', 'somebody')}"
    return await task.step("send", send, draft)


async def write(text: str) -> str:
    return f"{text}!"


async def send(draft: str) -> str:
    return f"sent: {draft}"
