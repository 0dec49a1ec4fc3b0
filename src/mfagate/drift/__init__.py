"""Describe the shape of responses, and find differences from the known shape."""

from mfagate.drift.compare import Difference, differences
from mfagate.drift.shape import Shape, ShapeField, enumerated, from_json, merged, of_answer, to_json

__all__ = [
    "Difference",
    "Shape",
    "ShapeField",
    "differences",
    "enumerated",
    "from_json",
    "merged",
    "of_answer",
    "to_json",
]
