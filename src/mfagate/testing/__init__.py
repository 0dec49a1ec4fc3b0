"""Tools for the tests of a provider: a suite that every provider passes, and a project to run commands in.

It needs the extra ``pytest``; see docs/how-to/add-a-provider.md.
"""

from mfagate.testing.explaining import explained
from mfagate.testing.project import CommandResult, Project
from mfagate.testing.provider_project import ProviderProject, SettingChange
from mfagate.testing.suite import ProviderSuite
from mfagate.testing.suite_base import Absent

__all__ = ["Absent", "CommandResult", "Project", "ProviderProject", "ProviderSuite", "SettingChange", "explained"]
