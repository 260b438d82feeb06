"""
Tools with which a model uses a memory, for a loop of your own that calls tools. Needs no other package.

`memrepo` does not import it: ``from memrepo.contrib.tools import MemoryTools``.
"""

from memrepo.contrib.tools.original import ORIGINAL_TOOLS
from memrepo.contrib.tools.tool import Tool
from memrepo.contrib.tools.toolbox import TOOLS, MemoryTools

__all__ = ["ORIGINAL_TOOLS", "TOOLS", "MemoryTools", "Tool"]
