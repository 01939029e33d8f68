"""A person decides: `claw up --skills examples/approval.py`, `claw submit publish '{"text": "Hi"}' --id p-1`, then
`claw approvals`, and `claw approve p-1 --comment "well said"` or `claw deny p-1`, a minute or a month later.
"""

from clawactors import Task, skill


@skill("publish")
async def publish(task: Task, text: str) -> str:
    """While it waits it holds no slot, and a restart of everything changes nothing."""
    draft = await task.step("draft", write, text)
    answer = await task.approve(f"publish {draft!r}?", timeout="30d", remind="1d")
    if not answer:
        return f"withdrawn by {answer.by}" if answer.by else "nobody decided"
    return await task.step("send", send, draft)


async def write(text: str) -> str:
    return f"{text}!"


async def send(draft: str) -> str:
    return f"sent: {draft}"
