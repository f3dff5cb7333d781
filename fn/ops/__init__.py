"""Primitives, one block each: wrapper, type, jvp, transpose, batch, lower."""
from fn.ops._shape import *
from fn.ops._elementwise import *
from fn.ops._slicing import *
