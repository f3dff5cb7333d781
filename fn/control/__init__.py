"""Primitives that carry Programs. Their rules are the transforms, applied to what they carry."""

from fn.control._call import call as call
from fn.control._call import call_p as call_p
