"""An imitation of Auth0: one tenant with its Authentication, MFA and Management API.

The two halves are in ``emulation``; here they become one server.
"""

from __future__ import annotations

from collections.abc import Mapping

from mfagate.providers.auth0.auth import is_management
from mfagate.providers.auth0.emulation.management import ManagementApi
from mfagate.providers.auth0.emulation.tenant import CUSTOM_DOMAIN, DOMAIN, Tenant
from mfagate.sandbox.emulator import Answer, Problem, Request
from mfagate.sandbox.emulator.program import run


class Auth0Emulator(ManagementApi):
    """One tenant, reachable through its own domain and a custom one."""

    hosts = (DOMAIN, CUSTOM_DOMAIN)
    secrets = frozenset(
        {
            "admin_client_secret",
            "client_secret",
            "expired_management_token",
            "expired_mfa_token",
            "foreign_management_token",
            "management_token",
            "otp_secret",
            "password",
            "restricted_client_secret",
            "rotated_client_secret",
            "sms_code",
            "ungranted_client_secret",
            "web_client_secret",
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self.tenant = Tenant()
        self.values = self.tenant.values()

    def problem(self, problem: Problem, request: Request) -> Answer:
        """Each API has its own words."""
        if is_management(request.path):
            return self.management_problem(problem)
        return self.authentication_problem(problem)

    def headers(self, request: Request) -> Mapping[str, str]:
        """How near the limit of requests is."""
        return self.rate_limit_headers()


if __name__ == "__main__":
    run(Auth0Emulator)
