"""
A memory as a server of the Model Context Protocol. Needs ``pip install memrepo[mcp]``.

`memrepo` does not import it: ``from memrepo.contrib.mcp import http_app, memory_server``. In a terminal, or for a
host, ``memrepo mcp --db agent.db`` runs it.
"""

try:
    from memrepo.contrib.mcp.http import http_app
    from memrepo.contrib.mcp.server import memory_server
except ImportError as error:
    raise ImportError("memrepo.contrib.mcp needs mcp: pip install 'memrepo[mcp]'") from error
from memrepo.contrib.tools import TOOLS

__all__ = ["TOOLS", "http_app", "memory_server"]
