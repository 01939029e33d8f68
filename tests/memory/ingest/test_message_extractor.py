"""A message becomes as many memories as it takes."""

import pytest

from clawactors.eventlog import Draft, InProcessLog
from clawactors.memory.ingest.message_extractor import ExtractionJob, extract
from clawactors.systems.chats import CODEC, ExtractionRequested, MessageAdded
from clawactors.systems.memories.commands import RecordMemory


@pytest.mark.parametrize("sentence", ["And then the story went on. ", "故事还在继续。"])
async def test_the_end_of_a_long_message_is_remembered(sentence: str) -> None:
    text = sentence * (400_000 // len(sentence.encode())) + "The key lies under the third stone."
    async with InProcessLog() as log:
        events = (MessageAdded(message="m", role="user", text=text, user="ada"), ExtractionRequested("m", "ada", "k"))
        seq = await log.append(Draft("chat", "c", CODEC.encode(events), "c-1"), 0)
        commands = await extract(log, ExtractionJob("k", "ada", "c", "m", seq))
    texts = [each.command.content.text for each in commands if isinstance(each.command, RecordMemory)]
    assert len(texts) == len(commands) > 16
    assert texts[-1].endswith("The key lies under the third stone.")
    assert "".join("".join(texts).split()) == "".join(text.split())
    assert len({each.id for each in commands}) == len(commands)
