"""Who is asking? Stands in for your login: a bearer token that this service has signed."""

import hmac
import os

_SECRET = os.environ["APP_SECRET"].encode()


def token_for(user: str) -> str:
    """Return a token that proves its bearer to be *user*."""
    return f"{user}.{hmac.new(_SECRET, user.encode(), 'sha256').hexdigest()}"


def user_of(authorization: str | None) -> str | None:
    """Return whom an ``Authorization`` header proves, or ``None``."""
    scheme, _, token = (authorization or "").partition(" ")
    user = token.rpartition(".")[0]
    is_proven = scheme.lower() == "bearer" and hmac.compare_digest(
        token.encode(), token_for(user).encode()
    )
    return user if user and is_proven else None
