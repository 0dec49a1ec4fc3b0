"""What an answer is made of, and how it differs from what is known of it."""

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
