"""The release, said once: the distribution, the data folder and the service protocol take it from here."""

from typing import Final

__all__ = ["VERSION"]

VERSION: Final = "0.1.0"
