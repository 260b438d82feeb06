"""Decide when two texts are the same fact: the normal form and its hash."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import Final, Literal, TypeAlias

__all__ = [
    "SameFact",
    "content_hash",
    "hash_normalized",
    "hash_stored",
    "is_hash_of",
    "normalize_content",
]

#: When two texts are the same fact: ``folded``, when they are equal but for case, Unicode form, white space and marks
#: at the end; ``exact``, when they are equal but for Unicode form and white space around them.
SameFact: TypeAlias = Literal["folded", "exact"]

#: White space as JavaScript's ``trim`` and ``\s`` see it, so that the TypeScript original makes the
#: same hashes. Python's own set differs: it has U+001C to U+001F and U+0085, and lacks U+FEFF.
_WHITE_SPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
#: Replaces runs of white space other than a single space; matching those, too, would take twice as long.
_collapse = re.compile(f"[{_WHITE_SPACE.replace(' ', '')}][{_WHITE_SPACE}]*| [{_WHITE_SPACE}]+").sub


def normalize_content(content: str, *, same_fact: SameFact = "folded") -> str:
    """
    Return the normal form of *content*: texts whose normal forms are equal are the same fact.

    By the rule ``folded``: Unicode NFC, trimmed, lower case, runs of white space to one space, trailing
    ``.,;:!?`` removed; all this again until nothing changes. By the rule ``exact``: Unicode NFC, trimmed.
    A normal form is its own normal form.

    Args:
        content: Any text.
        same_fact: The rule of the database.

    Returns:
        The normal form; empty for a text of nothing but what is removed.
    """
    text = unicodedata.normalize("NFC", content).strip(_WHITE_SPACE)
    if same_fact == "exact":
        return text
    text = text.lower()
    # White space other than the space is unprintable for Python, so most texts need no search.
    if "  " in text or not text.isprintable():
        text = _collapse(" ", text)
    text = text.rstrip(" .,;:!?")
    # Only lower-case letters can be composed with some accents: \u01f0 is one letter, its capital two.
    return text if unicodedata.is_normalized("NFC", text) else normalize_content(text)


def content_hash(content: str, *, scope: str = "", same_fact: SameFact = "folded") -> str:
    """
    Return the hash under which *content* is stored in *scope*.

    In the default scope it is the SHA-256 of the normal form, as the TypeScript original computes
    it. In any other scope the scope and a NUL character are hashed before it, so that one unique
    index on ``content_hash`` keeps facts apart by scope. By the rule ``exact``, a NUL character comes
    before both, and no scope begins with one: so no hash is ever one by the other rule.

    Args:
        content: The text.
        scope: Whose fact it is.
        same_fact: The rule of the database; see `normalize_content`.

    Returns:
        64 lower-case hexadecimal digits.
    """
    return hash_normalized(normalize_content(content, same_fact=same_fact), scope, same_fact)


def hash_normalized(normalized: str, scope: str, same_fact: SameFact = "folded") -> str:
    """Hash a text that is already in normal form."""
    if same_fact == "exact":
        return sha256(f"\0{scope}\0{normalized}".encode()).hexdigest()
    return sha256(f"{scope}\0{normalized}".encode() if scope else normalized.encode()).hexdigest()


def is_hash_of(digest: str, content: bytes) -> bool:
    """
    Tell whether *digest* is the hash of stored content in the default scope.

    By either rule; also an earlier memrepo's, which took each step once, or the original's, which has no
    NFC either.
    """
    text = content.decode(errors="replace")
    once = (
        hash_normalized(_collapse(" ", form.strip(_WHITE_SPACE).lower()).rstrip(".,;:!?"), "")
        for form in (unicodedata.normalize("NFC", text), text)
    )
    exact = content_hash(text, same_fact="exact")
    return digest in (content_hash(text), exact, *once)


def hash_stored(content: bytes, scope: str, same_fact: SameFact) -> str:
    """Hash stored content, which another program may have written: it need not be UTF-8, or text."""
    return content_hash(content.decode(errors="replace"), scope=scope, same_fact=same_fact)
