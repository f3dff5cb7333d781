"""What a Program's text may hold at most, so that any text is read or refused in bounded time and memory."""

from __future__ import annotations

CHARACTERS = 1 << 25
"""Length of a text; a Program of 20,000 equations takes about two million."""
PARTS = 4_000_000
"""Operands, entries of parameters, and variables, which count for four."""
PROGRAMS = 10_000
"""Programs in a text."""
DEPTH = 100
"""How deep Programs may be nested in Programs."""
RANK = 64
"""Axes of an array."""
ELEMENTS = 1 << 48
"""Elements of an array, where axes of size zero count as one."""
PARAMETERS = 64
"""Parameters of an equation."""
TUPLE = 16_384
"""Entries of a tuple among parameters."""
NESTED = 50
"""How deep tuples may be nested in tuples."""
NAME = 256
"""Characters of a name."""
STRING = 4_096
"""Characters of a string among parameters."""
NUMBER = 40
"""Characters of a number."""
DIGITS = 15
"""Digits of the size of an axis."""
