"""How views are kept: the store, the feed, the projector, replay and digest, pages and questions.

In: commits, in the order of the log. Out: rows and a position in one transaction, and answers from one moment of them.
Never here: what a row means. The engine knows no kind of aggregate; `projections.views` does.
"""
