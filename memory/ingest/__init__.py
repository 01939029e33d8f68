"""Ingest: from sources to memories. The sources are task histories, chat messages and files of notes.

In: records of the log, texts. Out: `ItemCommand`s that record raw memories, and extraction jobs for messages. Ids
follow from the source, so a source that is read twice gives the same memories.
`EventFilter` and `HistoryExtractor` are pure; `HistoryReader` and `message_extractor` read the log.
"""

from clawactors.memory.ingest.history_extractor import HistoryExtractor, task_memories

__all__ = ["HistoryExtractor", "task_memories"]
