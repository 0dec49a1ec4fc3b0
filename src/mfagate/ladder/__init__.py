"""The evidence ladder of one integration: rungs in order, stopping at the first red one."""

from mfagate.ladder.climb import Stage, climb, plan

__all__ = ["Stage", "climb", "plan"]
