"""What the session route is, as an OpenAPI document."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from memrepo.domain.jsontext import JsonValue
from memrepo.version import __version__

__all__ = ["description"]

#: Not blank, and without a NUL. To Python, some control characters are white space; to others, they are none.
_TEXT: Final = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
_NAME: Final[dict[str, JsonValue]] = {"type": "string", "maxLength": 255, "pattern": _TEXT}
_NAME_OR_NULL: Final[dict[str, JsonValue]] = {**_NAME, "type": ["string", "null"]}

_SOURCE: Final[JsonValue] = {
    **_NAME_OR_NULL,
    "default": "user_initiated",
    "examples": ["user_initiated", "morning_briefing", "return_after_gap"],
}
_TRIGGER: Final[JsonValue] = {
    **_NAME_OR_NULL,
    "default": "explicit",
    "examples": ["explicit", "timeout", "browser_close"],
}
_SUMMARY: Final[JsonValue] = {"type": ["string", "null"], "pattern": _TEXT}

_SCHEMAS: Final[dict[str, JsonValue]] = {
    "Session": {
        "type": "object",
        "required": ["id", "startedAt", "active", "thread"],
        "properties": {
            "id": {"type": "integer"},
            "startedAt": {"type": "string", "format": "date-time"},
            "active": {"type": "boolean"},
            "thread": {"type": "string"},
        },
    },
    "StartedSession": {
        "allOf": [{"$ref": "#/components/schemas/Session"}],
        "type": "object",
        "required": ["previousSessionClosed"],
        "properties": {"previousSessionClosed": {"type": "boolean"}},
    },
    "EndedSession": {
        "allOf": [{"$ref": "#/components/schemas/Session"}],
        "type": "object",
        "required": ["endedAt", "trigger", "summary"],
        "properties": {
            "endedAt": {"type": "string", "format": "date-time"},
            "trigger": {"type": "string"},
            "summary": {"type": ["string", "null"]},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["title", "status", "detail"],
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "field": {"type": "string", "description": "Which argument is not accepted."},
        },
    },
}
_THREAD: Final[JsonValue] = {
    "name": "thread",
    "in": "query",
    "description": "The conversation; the client's own name for it.",
    "schema": {
        "type": "string",
        "default": "",
        "anyOf": [{"const": ""}, _NAME],
    },
}
_SEEN: Final[JsonValue] = {
    "thread": "$response.body#/thread",
    "If-Match": "$response.header.ETag",
}
#: What an answer has that tells of the active session, and what one has that shows it.
_TOLD: Final[dict[str, JsonValue]] = {
    "headers": {
        "ETag": {
            "description": "Which session this is; send it as If-Match to end it and no other.",
            "schema": {"type": "string"},
        }
    }
}
_SHOWN: Final[dict[str, JsonValue]] = {
    **_TOLD,
    "links": {
        "end": {"operationId": "endSession", "parameters": _SEEN},
        "startAnother": {"operationId": "startSession", "parameters": _SEEN},
    },
}
_IF_NONE_MATCH: Final[JsonValue] = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string"},
}
_IF_MATCH: Final[JsonValue] = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the session that the client has seen, with its quotes.",
    "schema": {"type": "string"},
}
_NO_CONTENT: Final[JsonValue] = {"description": "The methods that are allowed."}
_NOT_MODIFIED: Final[JsonValue] = {"description": "The session that If-None-Match names is active."}


def description(path: str, max_body_bytes: int) -> dict[str, JsonValue]:
    """Return the document for a route at *path*."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "memrepo: sessions", "version": __version__},
        "paths": {
            path: {
                "get": {
                    "summary": "The active session; one is started if there is none.",
                    "operationId": "getSession",
                    **_get({**_session("Session"), **_SHOWN}),
                },
                "head": {
                    "summary": "The same without content.",
                    "operationId": "headSession",
                    **_get({"description": "A session is active.", **_TOLD}),
                },
                "post": {
                    "summary": "End the active session, and start another.",
                    "operationId": "startSession",
                    "parameters": [_THREAD, _IF_MATCH],
                    "requestBody": _body(max_body_bytes, source=_SOURCE),
                    "responses": {
                        "201": {**_session("StartedSession"), **_SHOWN},
                        **_problems(400, 403, 412, 413, 415, 422, 503),
                    },
                },
                "patch": {
                    "summary": "End the active session.",
                    "operationId": "endSession",
                    "parameters": [_THREAD, _IF_MATCH],
                    "requestBody": _body(max_body_bytes, trigger=_TRIGGER, summary=_SUMMARY),
                    "responses": {
                        "200": _session("EndedSession"),
                        **_problems(400, 403, 404, 412, 413, 415, 422, 503),
                    },
                },
                "options": {"operationId": "sessionOptions", "responses": {"204": _NO_CONTENT}},
            }
        },
        "components": {"schemas": _SCHEMAS},
    }


def _get(answer: JsonValue) -> dict[str, JsonValue]:
    return {
        "parameters": [_THREAD, _IF_NONE_MATCH],
        "responses": {
            "200": answer,
            "304": _NOT_MODIFIED,
            **_problems(400, 403, 422, 503),
        },
    }


def _body(max_bytes: int, **fields: JsonValue) -> dict[str, JsonValue]:
    schema: JsonValue = {"type": "object", "properties": fields}
    return {
        "description": f"At most {max_bytes:,} bytes.",
        "content": {"application/json": {"schema": schema}},
    }


def _session(schema: str) -> dict[str, JsonValue]:
    content: JsonValue = {
        "application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    }
    return {"description": "The session.", "content": content}


def _problems(*statuses: int) -> dict[str, JsonValue]:
    problem: JsonValue = {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in statuses
    }
