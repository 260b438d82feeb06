"""What a web service needs beside a store: a lifespan, and the original's session route."""

from memrepo.contrib.asgi.lifespan import Lifespan, store_lifespan
from memrepo.contrib.asgi.session_route import MemoryOf, SessionRoute

__all__ = ["Lifespan", "MemoryOf", "SessionRoute", "store_lifespan"]
