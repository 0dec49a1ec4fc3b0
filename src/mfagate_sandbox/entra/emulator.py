"""An emulator of Microsoft Entra ID: the login host and Microsoft Graph of the global cloud, on one port.

Their paths differ, so that a client can use the same address for both. Each start creates new
tenants, applications and users.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.sandbox.emulator import (
    Emulator,
    IncomingRequest,
    Reply,
    RequestProblem,
    changed,
    injects,
    together,
    without,
)
from mfagate_sandbox.entra import fault_kinds
from mfagate_sandbox.entra.directory import (
    ROLES,
    Application,
    DeviceCode,
    EntraTenant,
    EntraUser,
    Federation,
    Secret,
    SelfSignedCertificate,
    method,
)
from mfagate_sandbox.entra.errors import refuse
from mfagate_sandbox.entra.graph import GraphHost, graph_problem, is_graphs, throttled
from mfagate_sandbox.entra.login import LoginHost, login_problem
from mfagate_sandbox.entra.tokens import Issuer

_SIGN_IN = "openid profile"


class EntraEmulator(LoginHost, GraphHost, Emulator):
    """Two tenants: the tenant of the login service, and another one."""

    hosts = (CLOUDS[GLOBAL].login, CLOUDS[GLOBAL].graph)

    def __init__(self) -> None:
        super().__init__()
        self.issuer = Issuer()
        self.codes = {}
        expired, expiring = Secret(-1, "last year's"), Secret(10, "about to end")
        certificate, federation = SelfSignedCertificate(), Federation()
        service = Application(
            *("login service", ROLES),
            secrets=[Secret(), expired, expiring],
            certificates=[certificate],
            federations=[federation],
        )
        applications = {
            "": service,
            "disabled_": Application("disabled", ROLES, enabled=False, secrets=[Secret()]),
            "least_": Application("least privilege", ROLES[:1], secrets=[Secret()]),
            "public_": Application("command line", public=True),
            "roleless_": Application("roleless", secrets=[Secret()]),
        }
        other = Application("login service", ROLES, secrets=[Secret()])
        users = {
            "user": EntraUser("alice", [method("password"), method("microsoftAuthenticator"), method("softwareOath")]),
            "declining_user": EntraUser("bob", [method("password"), method("phone")], "declines"),
            "weak_user": EntraUser("mallory", [method("password"), method("email")]),
        }
        tenant = _tenant("mfagate.onmicrosoft.com", list(applications.values()), list(users.values()))
        foreign = _tenant("mfagate-other.onmicrosoft.com", [other], [])
        self._own = service
        self.tenants = [tenant, foreign]
        self.values = {
            "tenant_id": tenant.tenant_id,
            "tenant_domain": tenant.domain,
            "user_name": tenant.principal_name(users["user"]),
            "other_tenant_id": foreign.tenant_id,
            "private_key": certificate.private_key,
            "certificate": certificate.pem,
            "certificate_thumbprint": certificate.sha1.hex().upper(),
            "client_assertion": federation.token(),
            "issuer_private_key": federation.private_key,
            "secret_id": service.secrets[0].key_id,
            "object_id": service.object_id,
            "expired_client_secret": expired.value,
            "expiring_client_secret": expiring.value,
            "expired_token": self._expired_token(tenant, service),
            **_credentials({**applications, "other_": other}),
            **{name: user.object_id for name, user in users.items()},
            **self._prepared_codes(tenant, service, users),
        }
        endings = ("device_code", "assertion", "client_secret", "token", "private_key")
        self.secrets = frozenset(name for name in self.values if name.endswith(endings))

    def _expired_token(self, tenant: EntraTenant, application: Application) -> str:
        resource = f"https://{CLOUDS[GLOBAL].graph}"
        answer = self.issuer.for_application(tenant, application, resource, by_certificate=False, age=7200)
        return str(answer["access_token"])

    def _prepared_codes(
        self, tenant: EntraTenant, application: Application, users: dict[str, EntraUser]
    ) -> dict[str, str]:
        wanted: dict[str, dict[str, Any]] = {
            "accepted": {"answer": "accepted", "user": users["user"], "seconds": float("inf")},
            "declined": {"answer": "declined", "user": users["declining_user"], "seconds": float("inf")},
            "expired": {"seconds": 0},
            "redeemed": {"answer": "redeemed", "user": users["user"], "seconds": float("inf")},
        }
        codes = {
            name: DeviceCode(tenant, application.client_id, _SIGN_IN, prepared=True, **state)
            for name, state in wanted.items()
        }
        self.codes |= {code.code: code for code in codes.values()}
        return {f"{name}_device_code": code.code for name, code in codes.items()}

    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        """Answer as the host that the path belongs to; Graph checks the token first."""
        if not is_graphs(request.path):
            return login_problem(problem, request)
        if problem is not RequestProblem.DEFECT:
            self.authenticated(request)
        return graph_problem(problem, request)

    @injects(fault_kinds.REVOKED)
    def remove_the_credentials(self) -> AbstractContextManager[None]:
        """Remove all credentials of the application."""
        return changed(self._own, secrets=[], certificates=[], federations=[])

    @injects(fault_kinds.EXPIRED)
    def let_the_secret_end(self) -> AbstractContextManager[None]:
        """Let the secret expire yesterday."""
        return changed(self._own.secrets[0], days=-1)

    @injects(fault_kinds.ROTATED)
    def replace_the_secret(self) -> AbstractContextManager[None]:
        """Replace the secret, and remove the old one."""
        return changed(self._own, secrets=[Secret(), *self._own.secrets[1:]])

    @injects(fault_kinds.DEMOTED)
    def take_the_roles_away(self) -> AbstractContextManager[None]:
        """Remove the app roles; tokens are still issued."""
        return changed(self._own, roles=())

    @injects(fault_kinds.DISABLED)
    def disable_the_application(self) -> AbstractContextManager[None]:
        """Disable the application in the tenant."""
        return changed(self._own, enabled=False)

    @injects(fault_kinds.DELETED)
    def delete_the_application(self) -> AbstractContextManager[None]:
        """Remove the application from the tenant."""
        return without(self.tenants[0].applications, self._own.client_id)

    @injects(fault_kinds.CLOUD)
    def move_the_tenant(self) -> AbstractContextManager[None]:
        """Remove the tenant from this cloud."""
        return changed(self, tenants=self.tenants[1:])

    @injects(fault_kinds.AUTH_DOWN)
    def refuse_everybody(self) -> AbstractContextManager[None]:
        """Refuse every secret and certificate."""
        applications = [application for tenant in self.tenants for application in tenant.applications.values()]
        return together([changed(application, secrets=[], certificates=[]) for application in applications])

    @injects(fault_kinds.BLOCKED)
    def block(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Issue no tokens."""
        return refuse(request, 53003).answer if request.path.endswith("/oauth2/v2.0/token") else None

    @injects(fault_kinds.LIMITED)
    def throttle(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Throttle requests to Graph."""
        return throttled(request, argument) if is_graphs(request.path) else None


def _tenant(domain: str, applications: list[Application], users: list[EntraUser]) -> EntraTenant:
    return EntraTenant(domain, {application.client_id: application for application in applications}, users)


def _credentials(applications: dict[str, Application]) -> dict[str, str]:
    ids = {f"{name}client_id": application.client_id for name, application in applications.items()}
    return ids | {f"{name}client_secret": app.secrets[0].value for name, app in applications.items() if app.secrets}
