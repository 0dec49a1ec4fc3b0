"""Configuration mutation: measure how many mistakes the gate catches.

Every harmful edit that people make to a valid configuration, and some harmless ones, are run through the gate on
sandboxes. :func:`opened` starts the sandboxes and returns a :class:`MutatedProject`, :func:`mutants_of` yields its
mutants, and :class:`Runner` runs them.
"""

from mfagate.mutation.generate import mutants_of
from mfagate.mutation.layout import MutatedProject, NotMutable
from mfagate.mutation.model import REFUSED, Class, EditOperator, Mutant, MutantResult, MutantStatus
from mfagate.mutation.run import Runner, opened

__all__ = [
    "REFUSED",
    "Class",
    "EditOperator",
    "Mutant",
    "MutantResult",
    "MutantStatus",
    "MutatedProject",
    "NotMutable",
    "Runner",
    "mutants_of",
    "opened",
]
