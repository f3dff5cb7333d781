"""What is done without matrices: `linalg`, linear systems by iteration."""

from fn.scipy.sparse import _linalg as linalg
