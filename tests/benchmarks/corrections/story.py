"""
The story: 200 keys, each told in six values, restated, repeated by an extractor, and some of them forgotten.

It is made up, and the same each time. Each text says one value of one key, so that a text is stale or it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

__all__ = ["KEYS", "N_ROUNDS", "Key", "Step", "current", "question", "stale", "told"]

#: How often each key is told: once, and five corrections.
N_ROUNDS: Final = 6
#: Of ten keys, the one that is forgotten after its third value, and told again, and the one forgotten in the end.
_FORGOTTEN_ONCE: Final = 3
_FORGOTTEN: Final = 7

_PEOPLE: Final = (
    *("Ada Berg", "Bruno Costa", "Chiara Dahl", "Dmitri Egan", "Elif Fonseca", "Farid Gruber"),
    *("Greta Holm", "Hugo Ivanov", "Ines Jansen", "Jonas Keller", "Kira Lund", "Leo Marek"),
    *("Mina Novak", "Nils Okafor", "Olga Prins", "Pavel Quist", "Rosa Silva", "Sven Toth"),
    *("Tessa Urban", "Viktor Weiss"),
)


class _Attribute(NamedTuple):
    """What is told of each person: three wordings of it, a question, and values."""

    name: str
    said: str
    restated: str
    inferred: str
    question: str
    values: tuple[str, ...]


_ATTRIBUTES: Final = (
    _Attribute(
        "home_city",
        "{who} lives in {what}",
        "The home of {who} is in {what} now",
        "{what} is where {who} resides",
        "Where does {who} live?",
        ("Bonn", "Rome", "Oslo", "Lyon", "Graz", "Porto", "Turku", "Ghent"),
    ),
    _Attribute(
        "employer",
        "{who} works for {what}",
        "The employer of {who} is {what}",
        "{who} is on the payroll of {what}",
        "Who does {who} work for?",
        (
            "Acme",
            "Borealis",
            "Corvus",
            "Deltaworks",
            "Everpine",
            "Foxglove",
            "Grainhill",
            "Halcyon",
        ),
    ),
    _Attribute(
        "drink",
        "{who} likes to drink {what}",
        "The favourite drink of {who} is {what}",
        "{who} usually orders {what}",
        "What does {who} like to drink?",
        ("espresso", "green tea", "cider", "oat milk", "lemonade", "cocoa", "tonic", "ayran"),
    ),
    _Attribute(
        "door_code",
        "The door code of {who} is {what}",
        "{who} opens the door with the code {what}",
        "{who} typed {what} at the door",
        "What is the door code of {who}?",
        ("4711", "8032", "1947", "6620", "3385", "9054", "2718", "5199"),
    ),
    _Attribute(
        "pet",
        "{who} has a pet called {what}",
        "The name of the pet of {who} is {what}",
        "{who} takes {what}, a pet, to the vet",
        "What is the pet of {who} called?",
        ("Pixel", "Socks", "Biscuit", "Mango", "Pepper", "Waffle", "Ziggy", "Nutmeg"),
    ),
    _Attribute(
        "therapy",
        "Therapy of {who} is on {what}",
        "{who} goes to therapy every {what}",
        "{who} has therapy in the calendar for {what}",
        "When is therapy of {who}?",
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ),
    _Attribute(
        "instrument",
        "{who} plays the {what}",
        "The instrument of {who} is the {what}",
        "{who} practises on the {what}",
        "Which instrument does {who} play?",
        ("cello", "oboe", "banjo", "harp", "tuba", "viola", "flute", "drums"),
    ),
    _Attribute(
        "car",
        "{who} drives a {what}",
        "The car of {who} is a {what}",
        "{who} parked the {what}",
        "What does {who} drive?",
        ("Volvo", "Fiat", "Skoda", "Tesla", "Dacia", "Saab", "Mazda", "Renault"),
    ),
    _Attribute(
        "project",
        "The project of {who} is called {what}",
        "{who} leads a project by the name of {what}",
        "{who} reports on the project {what}",
        "What is the project of {who} called?",
        ("Aurora", "Basalt", "Comet", "Dune", "Ember", "Fjord", "Glacier", "Harbour"),
    ),
    _Attribute(
        "deadline",
        "The deadline of {who} is in {what}",
        "{who} has to be done by {what}",
        "{who} plans the release for {what}",
        "When is the deadline of {who}?",
        ("January", "March", "April", "June", "August", "October", "November", "December"),
    ),
)


class Key(NamedTuple):
    """What a fact is about."""

    name: str
    number: int

    @property
    def is_forgotten(self) -> bool:
        """Whether the user wants it forgotten in the end."""
        return self.number % 10 == _FORGOTTEN


class Step(NamedTuple):
    """What happens: the user says something, an extractor infers it, or the user has the key forgotten."""

    kind: Literal["say", "infer", "forget"]
    key: Key
    #: What is said or inferred; of what is forgotten, the text that was said last.
    text: str


KEYS: Final = tuple(
    Key(f"{who.lower().replace(' ', '_')}.{attribute.name}", n * len(_ATTRIBUTES) + place)
    for n, who in enumerate(_PEOPLE)
    # Not the same attribute of each person is forgotten.
    for place, attribute in enumerate(_ATTRIBUTES[n % 10 :] + _ATTRIBUTES[: n % 10])
)


def told(*, repeats: bool = True, rewords_forgotten: bool = False) -> Iterator[Step]:
    """
    Yield all that happens, in order.

    In each round each key is told, and told in other words. An extractor then infers it in words of its own,
    and what was said the round before: literally, and in words of its own. In the end it goes through all that was ever said,
    in the order in which it was said.

    Args:
        repeats: Have the extractor do that in the end.
        rewords_forgotten: Have the extractor infer in the end also the keys that were forgotten, in words of its own.
    """
    for n in range(N_ROUNDS):
        for key in KEYS:
            said, restated, inferred = _texts(key, n)
            yield Step("say", key, said)
            yield Step("say", key, restated)
            yield Step("infer", key, inferred)
            if n > 0:
                said_before, _, inferred_before = _texts(key, n - 1)
                yield Step("infer", key, said_before.upper() + "!")
                yield Step("infer", key, inferred_before)
            if key.is_forgotten and n == N_ROUNDS - 1:
                yield Step("forget", key, restated)
            if key.number % 10 == _FORGOTTEN_ONCE and n == N_ROUNDS // 2 - 1:
                yield Step("forget", key, restated)
    for n in range(N_ROUNDS if repeats else 0):
        for key in KEYS:
            said, restated, _ = _texts(key, n)
            yield Step("infer", key, said)
            yield Step("infer", key, restated)
    if rewords_forgotten:
        for key in filter(lambda key: key.is_forgotten, KEYS):
            yield Step("infer", key, _texts(key, N_ROUNDS - 1)[2])


def question(key: Key) -> str:
    """Return what is asked to hear the value of a key."""
    who, attribute = _about(key)
    return attribute.question.format(who=who)


def current(key: Key) -> str | None:
    """Return the text that the user said last; ``None`` if the key is forgotten."""
    return None if key.is_forgotten else _texts(key, N_ROUNDS - 1)[1]


def stale() -> frozenset[str]:
    """Return all texts that are not true in the end, in lower case and without marks at the end."""
    return frozenset(
        text.lower()
        for key in KEYS
        for n in range(N_ROUNDS if key.is_forgotten else N_ROUNDS - 1)
        for text in _texts(key, n)
    )


def _about(key: Key) -> tuple[str, _Attribute]:
    n = key.number // len(_ATTRIBUTES)
    name = key.name.partition(".")[2]
    return _PEOPLE[n], next(its for its in _ATTRIBUTES if its.name == name)


def _texts(key: Key, n: int) -> tuple[str, str, str]:
    """Return what is said, restated and inferred of a key in round *n*."""
    who, attribute = _about(key)
    what = attribute.values[(key.number + n) % len(attribute.values)]
    wordings = (attribute.said, attribute.restated, attribute.inferred)
    said, restated, inferred = (words.format(who=who, what=what) for words in wordings)
    return said, restated, inferred
