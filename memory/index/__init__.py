"""The index: rows, postings, vectors, the search for nearest vectors, and columns with a few values per item.

In: memories as folded from the log (`IndexWriter` in a transaction, then `Index.apply`). Out: postings and exact or
approximate similarities by item number. All of it can be deleted and is rebuilt from the log.
It does not interpret queries and does not rank (that is `clawactors.memory.recall`).
"""

from clawactors.memory.index.index import Index
from clawactors.memory.index.rows import TABLES
from clawactors.memory.index.writer import IndexWriter

__all__ = ["TABLES", "Index", "IndexWriter"]
