"""An emulator of Auth0: one tenant with its Authentication, MFA and Management API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from mfagate.providers.auth0.settings import is_management
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestProblem, changed, injects, together, without
from mfagate_sandbox.auth0 import fault_kinds
from mfagate_sandbox.auth0.management import ManagementApi
from mfagate_sandbox.auth0.tenant import CUSTOM_DOMAIN, DOMAIN, Auth0Tenant, ClientApplication


class Auth0Emulator(ManagementApi):
    """One tenant, reachable through its own domain and a custom one."""

    hosts = (DOMAIN, CUSTOM_DOMAIN)

    def __init__(self) -> None:
        super().__init__()
        self.tenant = Auth0Tenant()
        self.values = self.tenant.values()
        endings = ("secret", "token", "password", "sms_code")
        self.secrets = frozenset(name for name in self.values if name.endswith(endings))

    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        """Answer in the format of the API that the path belongs to."""
        if is_management(request.path):
            return self.management_problem(problem)
        return self.authentication_problem(problem)

    def headers(self, request: IncomingRequest) -> Mapping[str, str]:
        """Return the state of the rate limit."""
        return self.rate_limit_headers()

    @injects(fault_kinds.REVOKED)
    def delete_the_application(self) -> AbstractContextManager[None]:
        """Delete the application; Auth0 answers an unknown client like a wrong secret."""
        return without(self.tenant.clients, self.tenant.login_service.client_id)

    @injects(fault_kinds.ROTATED)
    def rotate_the_secret(self) -> AbstractContextManager[None]:
        """Replace the secret; an application has one at a time."""
        return changed(self.tenant.login_service, client_secret=ClientApplication().client_secret)

    @injects(fault_kinds.DEMOTED)
    def take_the_scopes_away(self) -> AbstractContextManager[None]:
        """Leave the application's authorization without scopes."""
        return changed(self.tenant.login_service, scopes=())

    @injects(fault_kinds.GRANT_GONE)
    def delete_the_client_grant(self) -> AbstractContextManager[None]:
        """Remove the application's authorization for the API."""
        return changed(self.tenant.login_service, scopes=None)

    @injects(fault_kinds.GRANTS_OFF)
    def switch_the_grants_off(self) -> AbstractContextManager[None]:
        """Switch off all grant types, as under Advanced Settings of the application."""
        return changed(self.tenant.login_service, grants=frozenset())

    @injects(fault_kinds.AUTH_DOWN)
    def refuse_everybody(self) -> AbstractContextManager[None]:
        """Refuse every client secret."""
        clients = self.tenant.clients.values()
        return together([changed(client, client_secret=ClientApplication().client_secret) for client in clients])

    @injects(fault_kinds.LIMITED)
    def slow_down(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Answer in the format of each API; requests for the public metadata do not count."""
        if "/.well-known/" in request.path:
            return None
        message, code = "Global limit has been reached", "too_many_requests"
        body: dict[str, Any] = {"error": code, "error_description": message}
        if is_management(request.path):
            body = {"statusCode": 429, "error": "Too Many Requests", "message": message, "errorCode": code}
        left = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time() + float(argument)))}
        return Reply(429, body, left)
