"""What goes wrong with models. Memory goes on without them, and says so."""

__all__ = ["ModelError", "TextRefused"]


class ModelError(Exception):
    """A model gave no answer, or none that can be used: one line says which, why, and what happens now."""


class TextRefused(ModelError):
    """The model refuses what it was given, whenever it is asked."""
