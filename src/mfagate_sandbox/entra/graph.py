"""An emulator of Microsoft Graph v1.0: authentication methods of users, and application registrations.

Bodies follow https://learn.microsoft.com/graph/api/resources/authenticationmethods-overview and the
metadata in https://github.com/microsoftgraph/msgraph-metadata; errors follow answers that users
published. Microsoft does not publish the texts of the errors for a missing token, a wrong method,
or another user's methods; those here are assumptions.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.providers.entra.settings import GUID
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestProblem, RequestRejected, route
from mfagate_sandbox.entra.directory import EntraTenant, EntraUser
from mfagate_sandbox.entra.tokens import Issuer

_GRAPH = f"https://{CLOUDS[GLOBAL].graph}"
_CONTEXT = f"{_GRAPH}/v1.0/$metadata"

_READS_METHODS = ("UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All")
_READS_APPLICATIONS = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All")
_READS_ORGANIZATION = ("Organization.Read.All", "Directory.Read.All")

_CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_WHO_ISSUES = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)
_SERVED_BY = {
    "ServerInfo": {
        "DataCenter": "West Europe",
        "Slice": "E",
        "Ring": "5",
        "ScaleUnit": "003",
        "RoleInstance": "AM2PEPF0001B000",
    }
}
_TYPED = {
    "phoneMethods": "phone",
    "microsoftAuthenticatorMethods": "microsoftAuthenticator",
    "softwareOathMethods": "softwareOath",
    "emailMethods": "email",
    "passwordMethods": "password",
}


def is_graphs(path: str) -> bool:
    """Return whether a path belongs to Graph and not to the login host: Graph's paths start with a version."""
    return re.match(r"/(v1\.0|beta)(/|$)", path) is not None


class GraphHost:
    """The routes of Graph. The emulator provides the tenants and the issuer of the tokens."""

    tenants: list[EntraTenant]
    issuer: Issuer

    @route("GET", "/v1.0/organization")
    def organization(self, request: IncomingRequest) -> Reply:
        """Return the tenant."""
        tenant = self._allowed(request, _READS_ORGANIZATION)
        whole = {
            "id": tenant.tenant_id,
            "displayName": tenant.domain.partition(".")[0],
            "countryLetterCode": "NL",
            "tenantType": "AAD",
            "verifiedDomains": [
                {
                    "capabilities": "Email",
                    "isDefault": True,
                    "isInitial": True,
                    "name": tenant.domain,
                    "type": "Managed",
                }
            ],
        }
        return _found(request, "organization", {"value": [_selected(request, "organization", whole)]})

    @route("GET", "/v1.0/users/<user>/authentication/methods")
    def methods(self, request: IncomingRequest) -> Reply:
        """Return all methods of a user; query options have no effect, as documented."""
        user = self._methods_of(request)
        return _found(request, f"users('{user.object_id}')/authentication/methods", {"value": user.methods})

    @route("GET", "/v1.0/users/<user>/authentication/methods/<method_id>")
    def one_method(self, request: IncomingRequest) -> Reply:
        """Return one method of a user."""
        user, wanted = self._methods_of(request), request.variables["method_id"]
        found = next((method for method in user.methods if method["id"] == wanted), None)
        if found is None:
            raise _refuse(request, 404, "resourceNotFound", f"Resource '{wanted}' does not exist.")
        return _found(request, f"users('{user.object_id}')/authentication/methods/$entity", found)

    @route("GET", "/v1.0/users/<user>/authentication/<any(phoneMethods,microsoftAuthenticatorMethods):kind>")
    @route("GET", "/v1.0/users/<user>/authentication/<any(softwareOathMethods,emailMethods,passwordMethods):kind>")
    def methods_of_a_kind(self, request: IncomingRequest) -> Reply:
        """Return the methods of one type, without ``@odata.type``."""
        user, kind = self._methods_of(request), request.variables["kind"]
        bare = [
            {name: value for name, value in method.items() if name != "@odata.type"}
            for method in user.methods_of(_TYPED[kind])
        ]
        return _found(request, f"users('{user.object_id}')/authentication/{kind}", {"value": bare})

    @route("GET", "/v1.0/applications")
    def applications(self, request: IncomingRequest) -> Reply:
        """Return all registrations."""
        tenant = self._allowed(request, _READS_APPLICATIONS)
        if "$filter" in request.query:
            raise _refuse(request, 400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause.")
        applications = tenant.applications.values()
        value = [_selected(request, "application", application.as_json()) for application in applications]
        return _found(request, "applications", {"value": value})

    @route("GET", "/v1.0/applications(appId='<app_id>')")
    def application_by_client_id(self, request: IncomingRequest) -> Reply:
        """Return a registration by its application (client) id."""
        wanted = request.variables["app_id"]
        application = self._allowed(request, _READS_APPLICATIONS).applications.get(wanted.lower())
        if application is None:
            raise _unknown(request, wanted)
        return _found(request, "applications/$entity", _selected(request, "application", application.as_json()))

    def _methods_of(self, request: IncomingRequest) -> EntraUser:
        tenant = self._allowed(request, _READS_METHODS, "accessDenied", "Request Authorization failed")
        named = request.variables["user"]
        user = tenant.user(named)
        if user is None:
            raise _unknown(request, named)
        return user

    def _allowed(
        self,
        request: IncomingRequest,
        roles: tuple[str, ...],
        code: str = "Authorization_RequestDenied",
        message: str = "Insufficient privileges to complete the operation.",
    ) -> EntraTenant:
        """Return the tenant of a token that has one of the roles."""
        claims = self.authenticated(request)
        if not set(roles) & set(claims.get("roles", ())):
            raise _refuse(request, 403, code, message)
        return next(tenant for tenant in self.tenants if tenant.tenant_id == claims["tid"])

    def authenticated(self, request: IncomingRequest) -> dict[str, Any]:
        """Return the claims of the token.

        Raises:
            RequestRejected: The token is missing, invalid, or not for Graph.
        """
        token = request.bearer()
        if token is None:
            raise _unauthenticated(request, "Access token is empty.")
        if token.count(".") != 2:
            raise _unauthenticated(request, "IDX14100: JWT is not well formed, there are no dots (.).")
        try:
            claims = self.issuer.claims_of(token)
        except jwt.ExpiredSignatureError:
            raise _unauthenticated(request, "Lifetime validation failed, the token is expired.") from None
        except (jwt.InvalidTokenError, RecursionError):
            raise _unauthenticated(request, "Access token validation failure.") from None
        if claims.get("aud") not in (_GRAPH, "00000003-0000-0000-c000-000000000000"):
            raise _unauthenticated(request, "Access token validation failure. Invalid audience.")
        return claims


def graph_problem(problem: RequestProblem, request: IncomingRequest) -> Reply:
    """Return Graph's answer to a request that reaches no handler."""
    match problem:
        case RequestProblem.UNKNOWN_ROUTE:
            segment = request.path.rstrip("/").rpartition("/")[2]
            return _refuse(request, 400, "BadRequest", f"Resource not found for the segment '{segment}'.").answer
        case RequestProblem.WRONG_METHOD:
            message = "Specified HTTP method is not allowed for the request target."
            allow = {"Allow": ", ".join(sorted(request.allowed))}
            return _refuse(request, 405, "Request_BadRequest", message, allow).answer
        case RequestProblem.DEFECT:
            return _refuse(request, 500, "UnknownError", "").answer
    return _refuse(request, 400, "BadRequest", "Unable to read JSON request payload.").answer


def throttled(request: IncomingRequest, seconds: str) -> Reply:
    """Return the answer described at https://learn.microsoft.com/graph/throttling."""
    return _refuse(request, 429, "TooManyRequests", "Please retry again later.", {"Retry-After": seconds}).answer


def _selected(request: IncomingRequest, kind: str, whole: dict[str, Any]) -> dict[str, Any]:
    if "$select" not in request.query:
        return whole
    names = [name.strip() for name in request.query["$select"][-1].split(",")]
    for name in names:
        if name not in whole:
            message = (
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{name}' on type 'microsoft.graph.{kind}'."
            )
            raise _refuse(request, 400, "BadRequest", message)
    return {name: whole[name] for name in names}


def _found(request: IncomingRequest, context: str, body: dict[str, Any]) -> Reply:
    chosen = f"({request.query['$select'][-1]})" if "$select" in request.query and "methods" not in context else ""
    plain, slash, entity = context.partition("/$entity")
    document = {"@odata.context": f"{_CONTEXT}#{plain}{chosen}{slash}{entity}", **body}
    return Reply(200, document, {**_ids(request), "OData-Version": "4.0"}, _CONTENT_TYPE)


def _unknown(request: IncomingRequest, named: str) -> RequestRejected:
    message = f"Resource '{named}' does not exist or one of its queried reference-property objects are not present."
    return _refuse(request, 404, "Request_ResourceNotFound", message)


def _unauthenticated(request: IncomingRequest, message: str) -> RequestRejected:
    return _refuse(request, 401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": _WHO_ISSUES})


def _refuse(
    request: IncomingRequest, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> RequestRejected:
    ids = _ids(request)
    inner = {"date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"}
    inner |= {name: ids[name] for name in ("request-id", "client-request-id")}
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return RequestRejected(Reply(status, body, {**ids, **(headers or {})}))


def _ids(request: IncomingRequest) -> dict[str, str]:
    """Return the headers of every answer of Graph; the client's own id is repeated."""
    request_id = str(uuid.uuid4())
    asked = request.headers.get("client-request-id", "")
    return {
        "Cache-Control": "no-cache",
        "Strict-Transport-Security": "max-age=31536000",
        "request-id": request_id,
        "client-request-id": asked if re.fullmatch(GUID, asked) else request_id,
        "x-ms-ags-diagnostic": json.dumps(_SERVED_BY),
    }
