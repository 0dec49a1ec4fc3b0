"""Config mutation: how much would this gate catch?

From a valid configuration every harmful edit that people make, and harmless ones,
each run through the gate on sandboxes. :func:`opened` starts those and gives a
:class:`MutatedProject`, :func:`mutants_of` its mutants, and :class:`Runner` runs them.
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
