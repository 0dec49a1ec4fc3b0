"""The evidence ladder of one integration: rungs in order, stopping at the first red one."""

from mfagate.checks.runner import Stage, plan, run_checks

__all__ = ["Stage", "plan", "run_checks"]
