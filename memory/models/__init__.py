"""Models and other parts behind ports, chosen by name (`settings`): embedders, rerankers, vector stores, proposers.

In: settings, texts, questions. Out: vectors beside the rows (`meanings`, built by `building`), ranks, proposals. What a
model says is never a row by itself: it is a cache that may be deleted, or a proposal that becomes an event.
"""

__all__: list[str] = []
