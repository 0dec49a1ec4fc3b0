"""For the tests of a provider: the suite that each of them passes, and a project to run commands in.

It needs the extra ``pytest``; see docs/add-a-provider.md.
"""

from mfagate.testing.explaining import explained
from mfagate.testing.project import Project, Result
from mfagate.testing.suite import Absent, Change, ProviderSuite

__all__ = ["Absent", "Change", "Project", "ProviderSuite", "Result", "explained"]
