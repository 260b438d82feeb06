"""What was typed, for the arguments of the library that its errors name."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from memrepo.errors import InvalidInputError

__all__ = ["called"]

#: Finds the argument in a place inside it: ``metadata`` in facts[0].metadata.limit, and in metadata.limit.
_is_in: Final = re.compile(r"(?:\w+\[\d+\]\.)?(\w+)").match

#: Arguments that come from the environment, or from a part of another one.
_NOT_TYPED: Final = {"auth_token": "the token"}


@contextmanager
def called(**typed: str) -> Generator[None]:
    """
    Have an argument that is not accepted called as it was typed: ``id="--approve"``.

    Raises:
        InvalidInputError: One is not accepted; what has no name here keeps its own.
    """
    try:
        yield
    except InvalidInputError as error:
        names = {**_NOT_TYPED, **typed}
        found = _is_in(error.field)
        if found is None or found[1] not in names:
            raise
        raise InvalidInputError(names[found[1]], error.reason) from error
