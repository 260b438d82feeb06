"""Text as one line, for prompts and Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from memrepo.domain.one_line import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" a\r\n\tb\u2028c ", "a b c"),
        ("a\0\x1b[2Jb", "a[2Jb"),
        ("a\u202eb\ufeff\u00ad", "ab"),
        ("half \ud83d", "half \ufffd"),
        ("a\ufe0f\U000e0141\u3164\u2800\u034fb", "ab"),
        ("नमस्\u200dते", "नमस्\u200dते"),
        ("a\u200db\u200c\u200d<\u200d/user> \u200c", "ab</user>"),
        ("\u2764\ufe0f\u200d\U0001f525 \u200d\u200dते\u200d\u200dते", "\u2764\u200d\U0001f525 तेते"),
    ],
)
def test_what_is_left(text: str, line: str) -> None:
    """White space is a space, what nobody sees is left out, and joiners of words stay."""
    assert one_line(text) == line


@given(st.text())
def test_is_one_line(text: str) -> None:
    """Whatever the text, it is one line, and its own line."""
    line = one_line(text)
    assert line.splitlines() in ([line], [])
    assert one_line(line) == line
