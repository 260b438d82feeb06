"""`UNSET`: what an argument is that was not given."""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["UNSET", "Unset"]


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"


#: Leave this field as it is; ``None`` would clear it.
UNSET: Final = Unset.UNSET
