"""Clusters: `vq`, the nearest of several vectors."""

from fn.scipy.cluster import _vq as vq
