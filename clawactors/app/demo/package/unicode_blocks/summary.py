"""How large the blocks are."""

import sqlite3

__all__ = ["sizes"]


def sizes(db: sqlite3.Connection) -> dict[str, int]:
    """Code points by block, the largest block first."""
    return dict(db.execute("SELECT name, last - first + 1 AS size FROM block ORDER BY size DESC, first"))
