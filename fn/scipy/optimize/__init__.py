"""Minima of functions. For training, `fn.optim` has updates that go along with batches of data."""

from fn.scipy.optimize._minimize import OptimizeResults as OptimizeResults
from fn.scipy.optimize._minimize import minimize as minimize
