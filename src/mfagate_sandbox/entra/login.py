"""An emulator of the login host: metadata, tokens for applications, sign-ins by device code.

Requests are checked in the order that the texts of the errors suggest: form, tenant, application,
scope, credential, resource. Texts and statuses follow answers that users published. Microsoft does
not publish the errors for declined, repeated and unknown device codes (65004, 54005, 70018), for
unknown routes, and the status of some refusals; those here are assumptions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.providers.entra.settings import GUID
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestProblem, route
from mfagate_sandbox.entra.credentials import check_assertion, check_secret
from mfagate_sandbox.entra.directory import Application, DeviceCode, EntraTenant, EntraUser
from mfagate_sandbox.entra.errors import SENT_ALWAYS, answered, refuse
from mfagate_sandbox.entra.tokens import Issuer

_HOSTS = CLOUDS[GLOBAL]
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE_GRANTS = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")
_ANYBODYS = ("common", "organizations", "consumers")

_METADATA = {
    "Cache-Control": "max-age=86400, private",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
}


class LoginHost:
    """The routes of the login host. The emulator provides the tenants and the issuer of the tokens."""

    tenants: list[EntraTenant]
    codes: dict[str, DeviceCode]
    issuer: Issuer

    @route("GET", "/<tenant>/v2.0/.well-known/openid-configuration")
    def metadata(self, request: IncomingRequest) -> Reply:
        """Return the public metadata of a tenant, with the address that the client used."""
        named = request.variables["tenant"]
        anybodys = named.lower() in _ANYBODYS
        tenant_id = "{tenantid}" if anybodys else self._tenant(request, "invalid_tenant").tenant_id
        own = f"https://{request.headers.get('host', _HOSTS.login)}/{named.lower() if anybodys else tenant_id}"
        document = {
            "token_endpoint": f"{own}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{own}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"https://{_HOSTS.login}/{tenant_id}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": f"https://{_HOSTS.graph}/oidc/userinfo",
            "authorization_endpoint": f"{own}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{own}/oauth2/v2.0/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": f"{own}/oauth2/v2.0/logout",
            "claims_supported": [
                *("sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name"),
                *("msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name"),
                *("tid", "ver", "at_hash", "c_hash", "email"),
            ],
            **({} if anybodys else {"kerberos_endpoint": f"{own}/kerberos"}),
            "tenant_region_scope": None if anybodys else "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": _HOSTS.graph,
            "rbac_url": "https://pas.windows.net",
        }
        return answered(200, document, _METADATA)

    @route("GET", "/<tenant>/discovery/v2.0/keys")
    def keys(self, request: IncomingRequest) -> Reply:
        """Return the keys that verify id tokens."""
        return answered(200, {"keys": [self.issuer.public_jwk]}, _METADATA)

    @route("POST", "/<tenant>/oauth2/v2.0/token")
    def token(self, request: IncomingRequest) -> Reply:
        """Issue a token for an application, or for a user who signed in by device code."""
        form = _form(request)
        grant = _needed(request, form, "grant_type")
        if grant in _DEVICE_GRANTS:
            return self._redeem(request, form)
        if grant == "refresh_token":
            raise refuse(request, 70000, name="refresh_token")
        if grant != "client_credentials":
            raise refuse(request, 70003, name=grant)
        return self._for_application(request, form)

    def _for_application(self, request: IncomingRequest, form: Mapping[str, str]) -> Reply:
        _needed(request, form, "client_id")
        scope = _needed(request, form, "scope", missing=90014)
        tenant = self._tenant(request, common=9001023)
        application = self._application(request, tenant, form)
        if not scope.endswith("/.default") or " " in scope:
            raise refuse(request, 70011 if " " in scope else 1002012, scope=scope)
        self._authenticate(request, tenant, application, form)
        resource = scope.removesuffix("/.default")
        if resource not in (f"https://{_HOSTS.graph}", "00000003-0000-0000-c000-000000000000"):
            raise refuse(request, 500011, scope=resource, tenant=tenant.domain)
        by_certificate = "client_assertion" in form
        answer = self.issuer.for_application(tenant, application, resource, by_certificate=by_certificate)
        return answered(200, answer, {"x-ms-clitelem": "1,0,0,,"})

    @route("POST", "/<tenant>/oauth2/v2.0/devicecode")
    def device_code(self, request: IncomingRequest) -> Reply:
        """Start a sign-in by device code."""
        form = _form(request)
        _needed(request, form, "client_id")
        scope = _needed(request, form, "scope")
        tenant = self._tenant(request, common=90133)
        application = self._application(request, tenant, form)
        code = DeviceCode(tenant, application.client_id, scope, _contexts(request, form))
        self.codes[code.code] = code
        uri = "https://microsoft.com/devicelogin"
        document = {
            "user_code": code.user_code,
            "device_code": code.code,
            "verification_uri": uri,
            "expires_in": int(code.seconds),
            "interval": 5,
            "message": f"To sign in, use a web browser to open the page {uri} and enter the code {code.user_code} "
            "to authenticate.",
        }
        return answered(200, document)

    @route("POST", "/common/oauth2/deviceauth")
    def enter_code(self, request: IncomingRequest) -> Reply:
        """Enter a device code, as a user does in a browser; this page takes the two fields of a form."""
        form = _form(request)
        wanted = form.get("user_code", "").upper()
        code = next((code for code in self.codes.values() if code.user_code == wanted and not code.ended), None)
        user = code.tenant.user(form.get("username", "")) if code else None
        if code is None or user is None or code.answer != "waits":
            return Reply(400, "That did not work.", content_type="text/html")
        code.sign_in(user)
        return Reply(200, "You may close this window.", content_type="text/html")

    def _redeem(self, request: IncomingRequest, form: Mapping[str, str]) -> Reply:
        _needed(request, form, "client_id")
        named = _needed(request, form, "device_code")
        tenant = self._tenant(request, common=90133)
        application = self._application(request, tenant, form)
        self._authenticate(request, tenant, application, form)
        code = self.codes.get(named)
        if code is None or code.client_id != application.client_id or code.tenant is not tenant:
            raise refuse(request, 70018)
        user = _signed_in(request, code)
        if not code.prepared:
            code.answer = "redeemed"
        return answered(200, self.issuer.for_user(code, user, client_info=form.get("client_info") == "1"))

    def _tenant(self, request: IncomingRequest, error: str | None = None, common: int = 900023) -> EntraTenant:
        """Return the tenant in the path; ``common`` is the number of the error for names that mean any tenant."""
        named = request.variables["tenant"].lower()
        if named in _ANYBODYS:
            raise refuse(request, 50059 if named == "organizations" and common == 9001023 else common, tenant=named)
        found = next((tenant for tenant in self.tenants if named in (tenant.tenant_id, tenant.domain)), None)
        if found is None:
            known_shape = re.fullmatch(GUID, named) or "." in named
            raise refuse(request, 90002 if known_shape else 900023, error, tenant=named)
        return found

    def _application(self, request: IncomingRequest, tenant: EntraTenant, form: Mapping[str, str]) -> Application:
        application = tenant.applications.get(form["client_id"].lower())
        if application is None:
            raise refuse(request, 700016, app=form["client_id"], tenant=tenant.domain)
        if not application.enabled:
            raise refuse(request, 7000112, app=application.client_id, name=application.name)
        return application

    def _authenticate(
        self, request: IncomingRequest, tenant: EntraTenant, application: Application, form: Mapping[str, str]
    ) -> None:
        secret, assertion = form.get("client_secret"), form.get("client_assertion")
        if application.public:
            if secret is not None or assertion is not None:
                raise refuse(request, 700025)
            if form["grant_type"] in _DEVICE_GRANTS:
                return
        if assertion is not None and form.get("client_assertion_type") == _ASSERTION_TYPE:
            check_assertion(request, tenant, application, assertion)
        elif secret:
            check_secret(request, application, secret)
        else:
            raise refuse(request, 7000218)


def login_problem(problem: RequestProblem, request: IncomingRequest) -> Reply:
    """Return the login host's answer to a request that reaches no handler."""
    match problem:
        case RequestProblem.UNKNOWN_ROUTE:
            return Reply(404, None, dict(SENT_ALWAYS))
        case RequestProblem.WRONG_METHOD:
            allowed = ", ".join(sorted({*request.allowed, "OPTIONS"} - {"HEAD"}))
            return refuse(request, 900561, allowed=allowed, method=request.method).answer
        case RequestProblem.WRONG_CONTENT_TYPE:
            # A body that is not a form contains none of the fields.
            return refuse(request, 900144, name="grant_type").answer
        case RequestProblem.DEFECT:
            return answered(500, {"error": "server_error", "error_description": "AADSTS90033: A transient error."})
    return refuse(request, 9002313).answer


def _form(request: IncomingRequest) -> dict[str, str]:
    """Return the fields of the form; credentials may be in a Basic header instead."""
    form = request.form()
    if basic := request.basic():
        form = {"client_id": basic[0], "client_secret": basic[1], **form}
    return form


def _needed(request: IncomingRequest, form: Mapping[str, str], name: str, missing: int = 900144) -> str:
    if not form.get(name):
        raise refuse(request, missing, name=name)
    return form[name]


def _contexts(request: IncomingRequest, form: Mapping[str, str]) -> list[str]:
    """Return the authentication contexts that the parameter ``claims`` requires in the id token."""
    try:
        wanted = json.loads(form.get("claims") or "{}")
    except (ValueError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict):
        raise refuse(request, 9002313)
    of_token = wanted.get("id_token")
    asked = of_token.get("acrs") if isinstance(of_token, dict) else None
    values = asked.get("values", [asked.get("value")]) if isinstance(asked, dict) else []
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _signed_in(request: IncomingRequest, code: DeviceCode) -> EntraUser:
    """Return the user who accepted; every other state of the device code is an error."""
    if code.ended:
        raise refuse(request, 70020)
    if code.answer != "accepted":
        raise refuse(request, {"declined": 65004, "redeemed": 54005, "waits": 70016}[code.answer])
    assert code.user is not None, "somebody accepted"
    return code.user
