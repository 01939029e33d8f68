"""Blocks of the Unicode code space, looked up in a SQLite file."""

from .lookup import block_of
from .summary import sizes

__all__ = ["block_of", "sizes"]
