"""What an answer is made of, and how it differs from what is known of it."""

from mfagate.drift.compare import Difference, differences
from mfagate.drift.shape import Field, Shape, enumerated, from_json, merged, of_answer, to_json

__all__ = [
    "Difference",
    "Field",
    "Shape",
    "differences",
    "enumerated",
    "from_json",
    "merged",
    "of_answer",
    "to_json",
]
