"""What of a text a reader sees."""

__all__ = ["shows"]


def shows(text: str) -> bool:
    """Whether the text has a character that is seen: no space, control or zero-width character, and no surrogate."""
    return any(character.isprintable() and not character.isspace() for character in text)
