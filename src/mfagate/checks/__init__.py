"""The checks of one integration: a plan of steps for each stage, which stops at the first failure that blocks."""

from mfagate.checks.runner import CheckRun, Stage, plan, run_checks

__all__ = ["CheckRun", "Stage", "plan", "run_checks"]
