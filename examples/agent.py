"""An agent: a model that looks things up until it can answer. Each call of the model and of a tool is recorded.

    python examples/stub_model.py --ledger paid.txt &       # in place of a real model
    export MODEL_URL=http://127.0.0.1:8766/v1
    claw up --skills examples/agent.py
    claw submit researcher '{"prompt": "Why is the sky blue?"}' --wait
    claw task ID            # the steps: model-1, look_up-1.1, model-2 …

Kill a node meanwhile, as often as you like: paid.txt has one line for each call of the model. With a real model, leave
MODEL_URL out and put its key into the secrets file of the node, by the name `openai`.
"""

import asyncio
import os

from clawactors.agents import Budget, ChatEndpoint, agent

URL = os.environ.get("MODEL_URL")
ENDPOINT = ChatEndpoint(url=URL, secret="") if URL else ChatEndpoint()


async def look_up(question: str) -> str:
    """Looks a question up in an encyclopedia."""
    await asyncio.sleep(float(os.environ.get("LOOK_UP_S", "0.3")))
    return f"On {question!r}: short waves of light are scattered more."


researcher = agent(
    "researcher",
    model="gpt-5-mini",
    endpoint=ENDPOINT,
    tools=[look_up],
    instructions="Answer in one sentence, from what you have looked up.",
    budget=Budget(turns=8, tokens=50_000),
)
