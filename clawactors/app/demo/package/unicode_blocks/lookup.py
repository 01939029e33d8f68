"""Which block a character is in."""

import sqlite3

__all__ = ["block_of"]


def block_of(db: sqlite3.Connection, character: str) -> str | None:
    """The name of the block, None for a character in none of those in the file."""
    query = "SELECT name FROM block WHERE first <= :code AND last >= :code"
    row = db.execute(query, {"code": ord(character)}).fetchone()
    return row[0] if row else None
