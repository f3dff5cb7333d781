"""Space: `transform`, rotations."""

from fn.scipy.spatial import _transform as transform
