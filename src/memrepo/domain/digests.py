"""The arc of a day or of a session, as data and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Final

import attrs

from memrepo.domain.carry_over import CountTokens, estimate_tokens
from memrepo.domain.checks import check_function, check_id
from memrepo.domain.digest_items import DigestEvent, DigestFact, DigestSession, ToolUse
from memrepo.domain.digest_lines import Lines, Times
from memrepo.domain.markdown import Section, fit, inline, plural
from memrepo.domain.plain import PlainModel

__all__ = ["DIGEST_LIMIT", "Digest"]

#: Most items of each kind in a digest, unless more are asked for.
DIGEST_LIMIT: Final = 200


@attrs.frozen(kw_only=True)
class Digest(PlainModel):
    """
    The arc of a day or of a session; see `DailyLogRepo.digest` and `SessionRepo.digest`.

    Lists are in the order in which things happened, and have the latest ones if there are more than the
    *limit* that was given. The numbers count all.
    """

    #: Whose day or session it is; ``""`` is the default scope.
    scope: str
    #: The day, or ``None`` for a session's digest.
    day: date | None
    #: The time zone of the day, and of the times in `to_markdown`.
    tz: tzinfo
    #: The sessions that started, or had an event, on the day; for a session's digest, the session.
    sessions: tuple[DigestSession, ...]
    #: How many sessions there are.
    n_sessions: int
    #: The facts that were first remembered in the time, and are current.
    facts: tuple[DigestFact, ...]
    #: How many of them there are.
    n_facts: int
    #: How many facts were first remembered in the time, but are outdated: forgotten, expired or superseded since.
    n_outdated: int
    #: How many facts were forgotten in the time. What they said is not told.
    n_forgotten: int
    #: The topics that were come to: events of the type ``topic_change``.
    topics: tuple[DigestEvent, ...]
    #: How many of them there are.
    n_topics: int
    #: What went wrong: tools that failed, and events of the type ``error``.
    failures: tuple[DigestEvent, ...]
    #: How many of them there are.
    n_failures: int
    #: The tools by how often they were used, the most frequent first, ties by name.
    tools: tuple[ToolUse, ...]
    #: How many of them there are.
    n_tools: int
    #: The user's states: events of the type ``user_state``.
    user_states: tuple[DigestEvent, ...]
    #: How many of them there are.
    n_user_states: int
    #: How many events each type has, the most frequent first, ties by name.
    n_by_type: Mapping[str, int]
    #: How many types there are.
    n_types: int
    #: How many events there are.
    n_events: int
    #: How many of the events have data that is not JSON, as another program may have stored it.
    n_unreadable: int
    #: When the first of the events happened, session started, or fact was remembered, UTC; ``None`` for an empty
    #: digest.
    first_activity_at: datetime | None
    #: When the last of them did.
    last_activity_at: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all happened."""
        numbers = (self.n_sessions, self.n_events, self.n_facts, self.n_outdated, self.n_forgotten)
        return not any(numbers)

    def to_markdown(
        self, *, max_tokens: int | None = 2_000, count_tokens: CountTokens | None = None
    ) -> str:
        """
        Return the digest as Markdown, to be kept in a file or given to a model.

        No text of a fact, an event or a summary can be anything but a part of its own line: line breaks and
        markup in it have no effect. It is still what users and tools have said: tell your model so.

        What does not fit is left out, and the last line says how many of each kind. A section is more important
        than the next one, but each has five items before any has a sixth one; of sessions, facts and events, the
        latest are the most important.

        Args:
            max_tokens: Most tokens of the text; ``None`` for no limit.
            count_tokens: Returns how many tokens a text has. It is called with one line at a time, so it must be
                quick. ``None`` takes four characters for a token.

        Returns:
            The same text each time, with a line break at its end; ``""`` if not even the first lines fit.

        Raises:
            InvalidInputError: An argument is not accepted, or *count_tokens* returned something else than a
                number of tokens.
        """
        if max_tokens is not None:
            check_id("max_tokens", max_tokens)
        count = estimate_tokens if count_tokens is None else count_tokens
        check_function("count_tokens", count)
        return fit(_head(self), _sections(self), max_tokens=max_tokens, count_tokens=count)


def _head(digest: Digest) -> list[str]:
    if digest.day is None:
        title = f"Session {digest.sessions[0].id}"
    else:
        title = f"{digest.day} ({inline(str(digest.tz), 255)})"
    return [f"# {title}", "", *_overview(digest)]


def _overview(digest: Digest) -> list[str]:
    if digest.is_empty:
        return ["Nothing happened."]
    numbers = (
        (digest.n_sessions, "session", "sessions"),
        (digest.n_events, "event", "events"),
        (digest.n_facts, "new fact", "new facts"),
        (digest.n_outdated, "outdated fact", "outdated facts"),
        (digest.n_forgotten, "forgotten fact", "forgotten facts"),
        (digest.n_unreadable, "event that cannot be read", "events that cannot be read"),
    )
    counted = ", ".join(plural(*each) for each in numbers if each[0])
    if digest.first_activity_at is None or digest.last_activity_at is None:
        return [f"{counted}."]
    time = Times(digest.tz, digest.day)
    return [f"{time(digest.first_activity_at)} to {time(digest.last_activity_at)}: {counted}."]


def _sections(digest: Digest) -> list[Section]:
    lines = Lines(Times(digest.tz, digest.day))
    return [
        Section(
            "Sessions" if digest.day else "Session",
            ("session", "sessions"),
            digest.sessions,
            digest.n_sessions,
            lines.session,
        ),
        Section("New facts", ("new fact", "new facts"), digest.facts, digest.n_facts, lines.fact),
        Section("Topics", ("topic", "topics"), digest.topics, digest.n_topics, lines.event),
        Section(
            "Failures", ("failure", "failures"), digest.failures, digest.n_failures, lines.event
        ),
        Section(
            "Tools", ("tool", "tools"), digest.tools, digest.n_tools, lines.tool, is_ranked=True
        ),
        Section(
            "User states",
            ("user state", "user states"),
            digest.user_states,
            digest.n_user_states,
            lines.event,
        ),
        Section(
            "Events by type",
            ("type of event", "types of events"),
            [*digest.n_by_type.items()],
            digest.n_types,
            lines.event_type,
            is_ranked=True,
        ),
    ]
