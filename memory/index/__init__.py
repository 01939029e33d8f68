"""What makes memories findable: postings, vectors, a graph of neighbours, and a few figures an item in plain columns.

In: memories as the log leaves them (`IndexWriter`, in a transaction; then `Index.take`). Out: postings and exact or
approximate similarities by item number, from a snapshot. All of it can be thrown away: the log brings it back.
Never here: what a query means or which item is best (that is `clawactors.memory.recall`).
"""

from clawactors.memory.index.index import Index
from clawactors.memory.index.rows import TABLES
from clawactors.memory.index.writer import IndexWriter

__all__ = ["TABLES", "Index", "IndexWriter"]
