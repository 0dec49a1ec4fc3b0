"""The routes of the emulated org."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from mfagate.config.pem import load_private_key
from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.auth import new_token
from mfagate.providers.okta.settings import ORGANIZATION_PATH, TOKEN_PATH
from mfagate.sandbox.emulator import (
    Emulator,
    IncomingRequest,
    Reply,
    RequestProblem,
    changed,
    injects,
    route,
    together,
    without,
)
from mfagate_sandbox.okta import bodies, factors, fault_kinds
from mfagate_sandbox.okta.answers import challenged, fail, invalid, ok, refused
from mfagate_sandbox.okta.authorization_server import AuthorizationServer
from mfagate_sandbox.okta.org import TOKEN_SECONDS, ApiToken, App, EnrolledFactor, OktaUser, Org, moment

_READ, _MANAGE = "okta.users.read", "okta.users.manage"
_READ_TOKENS = "okta.apiTokens.read"
_ORG = "okta.orgs.read"

_ALL = frozenset({_READ, _MANAGE, _READ_TOKENS, _ORG})

_PROBLEMS = {
    RequestProblem.UNKNOWN_ROUTE: "E0000008",
    RequestProblem.WRONG_METHOD: "E0000022",
    # Okta's table has three codes for this case; no recording shows which is used.
    RequestProblem.WRONG_CONTENT_TYPE: "E0000021",
    RequestProblem.DEFECT: "E0000009",
}


class OktaEmulator(Emulator):
    """One org with valid and invalid API tokens, some apps and some users."""

    def __init__(self) -> None:
        super().__init__()
        self.org = Org()
        self.hosts = (self.org.host,)
        self._enrols_email = False
        self.server = AuthorizationServer(self.org)
        self.values = {
            "org_url": self.org.url,
            "org_id": self.org.id,
            "subdomain": self.org.subdomain,
            **self._tokens(),
            **self._apps(),
            **self._users(),
        }
        public = ("org_url", "org_id", "subdomain", "key_id")
        self.secrets = frozenset(
            name for name in self.values if name not in public and not name.endswith(("user", "client_id", "token_id"))
        )

    def _tokens(self) -> dict[str, str]:
        admin, gone = OktaUser.named("mfagate-admin"), OktaUser.named("mfagate-gone", status="DEPROVISIONED")
        self.org.add(admin, gone)
        month_ago = time.time() - TOKEN_SECONDS
        tokens = {
            "": ApiToken("login service", admin, frozenset({_READ, _MANAGE, _READ_TOKENS, _ORG})),
            "admin_": ApiToken("mfagate", admin, _ALL),
            "modest_": ApiToken("logins alone", admin, frozenset({_READ, _MANAGE})),
            "read_only_": ApiToken("reports", admin, frozenset({_READ, _ORG})),
            "unprivileged_": ApiToken("apps", admin, frozenset()),
            "revoked_": ApiToken("old login service", admin, _ALL, is_revoked=True),
            "expired_": ApiToken("forgotten", admin, _ALL, created=month_ago - 86400, used=month_ago - 60),
            "orphaned_": ApiToken("of somebody who left", gone, _ALL),
            "idle_": ApiToken("seldom used", admin, _ALL, created=month_ago, used=month_ago + 3 * 86400),
        }
        self.org.tokens, self._own_token = list(tokens.values()), tokens[""]
        values = {f"{kind}api_token": token.value for kind, token in tokens.items()}
        return {**values, "token_id": tokens[""].id, "idle_token_id": tokens["idle_"].id}

    def _apps(self) -> dict[str, str]:
        pem, kid = new_private_key(), secrets.token_urlsafe(32)
        keys = {kid: load_private_key(pem).public_key()}
        granted = frozenset({_READ, _MANAGE, _ORG})
        apps = {
            "": App(keys, granted),
            "web_": App(keys, granted, application_type="web"),
            "dpop_": App(keys, granted, demands_dpop=True),
            "narrow_": App(keys, frozenset({_READ})),
            "ungranted_": App(keys, frozenset()),
            "roleless_": App(keys, granted, has_role=False),
            "restricted_": App(keys, granted, in_zone=False),
            "keyless_": App({}, granted),
        }
        self._own_app = apps[""]
        self.org.apps = {app.client_id: app for app in apps.values()}
        values = {f"{kind}client_id": app.client_id for kind, app in apps.items()}
        as_test_data = {"app_client_id": values["client_id"], "app_private_key": pem}
        return {**values, **as_test_data, "private_key": pem, "key_id": kid}

    def _users(self) -> dict[str, str]:
        owners: Mapping[str, Any] = {
            "user": "is away",
            "accepting_user": "accepts",
            "declining_user": "declines",
            "ignoring_user": "ignores",
        }
        users = {name: OktaUser.named(f"mfagate-{owner.replace(' ', '-')}") for name, owner in owners.items()}
        for name, user in users.items():
            user.add(factors.make(factors.PUSH, user.login, owner=owners[name]))
        texted = users["sms_user"] = OktaUser.named("mfagate-texted")
        texted.add(factors.make(factors.SMS, texted.login)).profile = {"phoneNumber": "+15555550100"}
        locked = users["locked_user"] = OktaUser.named("mfagate-locked", status="LOCKED_OUT")
        locked.add(factors.make(factors.TOTP, locked.login))
        self.org.add(*users.values())
        return {name: user.login for name, user in users.items()}

    def problem(self, problem: RequestProblem, request: IncomingRequest) -> Reply:
        """Answer with Okta's own codes."""
        if request.path == TOKEN_PATH and problem is RequestProblem.MALFORMED_BODY:
            return Reply(400, {"error": "invalid_request", "error_description": "The request could not be read."})
        answer = fail(_PROBLEMS.get(problem, "E0000003"))
        if problem is RequestProblem.WRONG_METHOD:
            return Reply(answer.status, answer.body, {"Allow": ", ".join(request.allowed)})
        return answer

    @injects(fault_kinds.REVOKED)
    def revoke(self) -> AbstractContextManager[None]:
        """Revoke the token and deactivate the app, as an administrator does."""
        return together([changed(self._own_token, is_revoked=True), changed(self._own_app, status="INACTIVE")])

    @injects(fault_kinds.EXPIRED)
    def let_the_token_end(self) -> AbstractContextManager[None]:
        """Let the token expire after a month without use."""
        return changed(self._own_token, used=time.time() - TOKEN_SECONDS - 60)

    @injects(fault_kinds.ROTATED)
    def rotate(self) -> AbstractContextManager[None]:
        """Replace the token and the app's key."""
        keys = {kid: load_private_key(new_private_key()).public_key() for kid in self._own_app.keys}
        return together([changed(self._own_token, value=new_token()), changed(self._own_app, keys=keys)])

    @injects(fault_kinds.DEMOTED)
    def take_the_role_away(self) -> AbstractContextManager[None]:
        """Remove the role from the token's creator and from the app."""
        return together([changed(self._own_token, scopes=frozenset()), changed(self._own_app, has_role=False)])

    @injects(fault_kinds.APP_GONE)
    def delete_the_app(self) -> AbstractContextManager[None]:
        """Delete the app, and its client id with it."""
        return without(self.org.apps, self._own_app.client_id)

    @injects(fault_kinds.ZONE)
    def leave_the_zone(self) -> AbstractContextManager[None]:
        """Move the app out of its network zones; Okta documents no such error for API tokens."""
        return changed(self._own_app, in_zone=False)

    @injects(fault_kinds.AUTH_DOWN)
    def refuse_everybody(self) -> AbstractContextManager[None]:
        """Refuse every token and app."""
        return together([changed(self.org, tokens=[]), changed(self.org, apps={})])

    @injects(fault_kinds.EMAIL_ENROLLED)
    def enrol_email(self) -> AbstractContextManager[None]:
        """Give new users an active e-mail factor."""
        return changed(self, _enrols_email=True)

    @injects(fault_kinds.FEATURE_OFF)
    def do_without_factors(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Answer like an edition without multifactor authentication."""
        return fail("E0000015") if "/factors" in request.path else None

    @injects(fault_kinds.READ_ONLY)
    def only_read(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Refuse all changes; tokens are still issued, so that apps can read."""
        return None if request.method == "GET" or request.path == TOKEN_PATH else fail("E0000010")

    @injects(fault_kinds.LIMITED)
    def slow_down(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Refuse all requests until the time in the header."""
        if request.path == ORGANIZATION_PATH:
            return None
        left = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(int(time.time() + float(argument)))}
        limited = fail("E0000047")
        return Reply(limited.status, limited.body, {**limited.headers, **left})

    def headers(self, request: IncomingRequest) -> Mapping[str, str]:
        """Return the recorded headers; the policy names the hosts of the org and of its console."""
        admin = f"{self.org.subdomain}-admin.okta.com"
        return {
            "x-okta-request-id": secrets.token_hex(16),
            "Cache-Control": "no-cache, no-store",
            "Pragma": "no-cache",
            "Expires": "0",
            "p3p": 'CP="HONK"',
            "x-content-type-options": "nosniff",
            "Strict-Transport-Security": "max-age=315360000; includeSubDomains",
            "content-security-policy": f"default-src 'self' {self.org.host} *.oktacdn.com; connect-src 'self' {admin}",
        }

    def _allow(self, request: IncomingRequest, scope: str | None) -> OktaUser | None:
        """Require a valid credential with a scope, and return the owner of an API token.

        Without a scope, any valid credential is accepted.
        """
        accepted = request.headers.get("accept", "*/*")
        if not re.search(r"\*/\*|application/(\*|json)", accepted):
            raise refused("E0000122")
        header = request.headers.get("authorization", "")
        if header.startswith("SSWS"):
            return self._owner(header.removeprefix("SSWS").removeprefix(" "), scope)
        if not header.startswith(("Bearer ", "DPoP ")):
            raise refused("E0000005")
        found = self.server.access(request, self._hosts(request))
        if found is None:
            description = "The access token is invalid."
            raise challenged(401, self.org.host, "invalid_token", description, body=fail("E0000011").body)
        app, scopes = found
        if scope is not None and scope not in scopes:
            description = "The access token provided does not contain the required scopes."
            resource = {"scope": scope, "resource": request.path}
            raise challenged(403, self.org.host, "insufficient_scope", description, **resource)
        if not app.has_role:
            raise refused("E0000006")
        return None

    def _hosts(self, request: IncomingRequest) -> set[str]:
        """Return the URL of the org, and the local ones for clients that sign the address that they use."""
        local = request.local_host
        return {self.org.url} | ({f"https://{local}", f"http://{local}"} if local else set())

    def _owner(self, value: str, scope: str | None) -> OktaUser:
        token = next((token for token in self.org.tokens if token.value == value), None)
        if token is None or not token.is_valid:
            raise refused("E0000011")
        token.used = time.time()
        if scope is not None and scope not in token.scopes:
            raise refused("E0000006")
        return token.user

    @route("GET", ORGANIZATION_PATH)
    def organization(self, request: IncomingRequest) -> Reply:
        """Return the public data of the org."""
        links = {name: {"href": self.org.url} for name in ("organization", "alternate")}
        return ok({"id": self.org.id, "pipeline": "idx", "_links": links})

    @route("POST", TOKEN_PATH)
    def token(self, request: IncomingRequest) -> Reply:
        """Issue an access token."""
        return self.server.token(request, self._hosts(request))

    @route("GET", "/api/v1/org")
    def get_org(self, request: IncomingRequest) -> Reply:
        """Return the org's settings."""
        self._allow(request, _ORG)
        return ok(self.org.as_json())

    @route("GET", "/api/v1/api-tokens")
    @route("GET", "/api/v1/api-tokens/")
    def list_tokens(self, request: IncomingRequest) -> Reply:
        """List the active API tokens, also for a path with a slash at the end."""
        self._allow(request, _READ_TOKENS)
        return ok([token.as_json(self.org.url) for token in self.org.valid_tokens()])

    @route("GET", "/api/v1/api-tokens/<token_id>")
    def get_token(self, request: IncomingRequest) -> Reply:
        """Return an API token."""
        self._allow(request, _READ_TOKENS)
        return ok(self._token(request).as_json(self.org.url))

    def _token(self, request: IncomingRequest) -> ApiToken:
        wanted = request.variables["token_id"]
        found = next((token for token in self.org.valid_tokens() if token.id == wanted), None)
        if found is None:
            raise refused("E0000007", f"{wanted} (Token)")
        return found

    @route("GET", "/api/v1/users/me")
    def get_me(self, request: IncomingRequest) -> Reply:
        """Return the owner of the API token; Okta does not publish its answer to service apps."""
        owner = self._allow(request, None)
        if owner is None:
            raise refused("E0000007", "me (User)")
        return ok(owner.as_json(self.org.url))

    @route("GET", "/api/v1/users")
    def list_users(self, request: IncomingRequest) -> Reply:
        """List all users, or those that a query selects."""
        self._allow(request, _READ)
        limit = bodies.number(request, "limit", 200, 200)
        users = [user for user in self.org.users.values() if _is_wanted(user, request)][:limit]
        links = {"Link": f'<{self.org.url}/api/v1/users?limit={limit}>; rel="self"'}
        answer = ok([user.as_json(self.org.url, listed=True) for user in users])
        return Reply(answer.status, answer.body, {**answer.headers, **links})

    @route("POST", "/api/v1/users")
    def create_user(self, request: IncomingRequest) -> Reply:
        """Create a user, who is active if the request has a password."""
        self._allow(request, _MANAGE)
        activate = bodies.flag(request, "activate", True)
        bodies.flag(request, "provider", False)
        fields = bodies.body_of(request)
        profile, password = bodies.profile_of(fields), bodies.password_of(fields)
        bodies.require_sound(fields)
        if next_login := request.query.get("nextLogin"):
            if next_login != ["changePassword"]:
                raise invalid("nextLogin", "The value must be changePassword")
            if password is None or not activate:
                raise refused("E0000124" if password is None else "E0000125")
            status = "PASSWORD_EXPIRED"
        else:
            status = "STAGED" if not activate else "ACTIVE" if password else "PROVISIONED"
        question = bodies.object_in(bodies.object_in(fields, "credentials"), "recovery_question")
        user = OktaUser(profile, has_password=password is not None, question=bodies.optional_text(question, "question"))
        user.move(status)
        if any(profile["login"].lower() == other.login.lower() for other in self.org.users.values()):
            raise invalid("login", "An object with this field already exists in the current organization")
        self.org.add(user)
        if self._enrols_email:
            user.add(factors.make(factors.EMAIL, user.login)).profile = {"email": user.profile["email"]}
        return ok(user.as_json(self.org.url))

    @route("GET", "/api/v1/users/<user_id>")
    def get_user(self, request: IncomingRequest) -> Reply:
        """Return a user."""
        self._allow(request, _READ)
        return ok(self._user(request).as_json(self.org.url))

    @route("POST", "/api/v1/users/<user_id>/lifecycle/activate")
    def activate_user(self, request: IncomingRequest) -> Reply:
        """Activate a user."""
        self._allow(request, _MANAGE)
        bodies.flag(request, "sendEmail", True)
        user = self._user(request)
        if user.status not in ("STAGED", "DEPROVISIONED"):
            raise refused("E0000016")
        user.move("ACTIVE" if user.has_password else "PROVISIONED")
        token = secrets.token_urlsafe(15)
        return ok({"activationUrl": f"{self.org.url}/welcome/{token}", "activationToken": token})

    @route("POST", "/api/v1/users/<user_id>/lifecycle/deactivate")
    def deactivate_user(self, request: IncomingRequest) -> Reply:
        """Deactivate a user; a deactivated user is not found."""
        self._allow(request, _MANAGE)
        bodies.flag(request, "sendEmail", False)
        user = self._user(request)
        if user.status == "DEPROVISIONED":
            raise refused("E0000007", f"{user.id} (User)")
        self._deactivate(user)
        return ok({})

    @route("DELETE", "/api/v1/users/<user_id>")
    def delete_user(self, request: IncomingRequest) -> Reply:
        """Deactivate an active user, or delete a deactivated one."""
        self._allow(request, _MANAGE)
        bodies.flag(request, "sendEmail", False)
        user = self._user(request)
        if user.status == "DEPROVISIONED":
            del self.org.users[user.id]
        else:
            self._deactivate(user)
        return ok(None, 204)

    def _deactivate(self, user: OktaUser) -> None:
        user.move("DEPROVISIONED")
        user.factors.clear()

    @route("GET", "/api/v1/users/<user_id>/factors")
    def list_factors(self, request: IncomingRequest) -> Reply:
        """List a user's factors."""
        self._allow(request, _READ)
        user = self._user(request)
        return ok([factor.as_json(self._url(user)) for factor in list(user.factors.values())])

    @route("GET", "/api/v1/users/<user_id>/factors/catalog")
    def list_catalog(self, request: IncomingRequest) -> Reply:
        """List the factors that a user may enrol."""
        self._allow(request, _READ)
        url = self._url(self._user(request))
        return ok(
            [
                {
                    "factorType": kind,
                    "provider": provider,
                    "vendorName": provider,
                    "enrollment": "OPTIONAL",
                    "status": "NOT_SETUP",
                    "_links": {"enroll": {"href": f"{url}/factors", "hints": {"allow": ["POST"]}}},
                }
                for kind, providers in factors.PROVIDERS.items()
                for provider in providers
            ]
        )

    @route("GET", "/api/v1/users/<user_id>/factors/questions")
    def list_questions(self, request: IncomingRequest) -> Reply:
        """List the security questions."""
        self._allow(request, None)
        self._user(request)
        return ok([{"question": name, "questionText": text} for name, text in factors.QUESTIONS.items()])

    @route("POST", "/api/v1/users/<user_id>/factors")
    def enroll(self, request: IncomingRequest) -> Reply:
        """Enrol a factor, and return what its owner needs to activate it."""
        self._allow(request, _MANAGE)
        activate = bodies.flag(request, "activate", False)
        bodies.flag(request, "updatePhone", False)
        bodies.number(request, "tokenLifetimeSeconds", 300, 86400)
        fields = bodies.body_of(request)
        user = self._user(request)
        return ok(factors.enrolled(user, fields, activate=activate).as_enrolled(self._url(user)))

    @route("GET", "/api/v1/users/<user_id>/factors/<factor_id>")
    def get_factor(self, request: IncomingRequest) -> Reply:
        """Return a factor."""
        self._allow(request, _READ)
        user, factor = self._factor(request)
        return ok(factor.as_json(self._url(user)))

    @route("DELETE", "/api/v1/users/<user_id>/factors/<factor_id>")
    def unenroll(self, request: IncomingRequest) -> Reply:
        """Remove a factor."""
        self._allow(request, _MANAGE)
        bodies.flag(request, "removeRecoveryEnrollment", False)
        user, factor = self._factor(request)
        del user.factors[factor.id]
        return ok(None, 204)

    @route("POST", "/api/v1/users/<user_id>/factors/<factor_id>/lifecycle/activate")
    @route("POST", "/api/v1/users/<user_id>/factors/<factor_id>/lifecycle/activate/poll")
    def activate(self, request: IncomingRequest) -> Reply:
        """Activate a factor with its first code, or return whether a push was confirmed."""
        self._allow(request, _MANAGE)
        fields = bodies.body_of(request)
        user, factor = self._factor(request)
        return ok(factors.activate(user, factor, fields) or factor.as_json(self._url(user)))

    @route("POST", "/api/v1/users/<user_id>/factors/<factor_id>/verify")
    def verify(self, request: IncomingRequest) -> Reply:
        """Check a code, or send a code or a push."""
        self._allow(request, _MANAGE)
        bodies.number(request, "tokenLifetimeSeconds", 300, 86400)
        fields = bodies.body_of(request)
        user, factor = self._factor(request)
        url = f"{self._url(user)}/factors/{factor.id}"
        if factor.status != "ACTIVE":
            raise refused("E0000038")
        if factor.kind == factors.PUSH:
            sent = factors.push(user, factor, fields)
            body = {"expiresAt": moment(sent.expires), "factorResult": "WAITING", **sent.links(url)}
            return ok(body, 201)
        if factor.kind in (factors.SMS, factors.EMAIL) and "passCode" not in fields:
            return ok(factors.challenge(user, factor, url))
        return ok(factors.verify(user, factor, fields))

    @route("GET", "/api/v1/users/<user_id>/factors/<factor_id>/transactions/<transaction_id>")
    def get_transaction(self, request: IncomingRequest) -> Reply:
        """Return the outcome of a push."""
        self._allow(request, _READ)
        user, factor = self._factor(request)
        transaction = factor.transactions.get(request.variables["transaction_id"])
        if transaction is None:
            raise refused("E0000007", f"{request.variables['transaction_id']} (UserFactor)")
        return ok(transaction.as_json(factor, f"{self._url(user)}/factors/{factor.id}"))

    def _url(self, user: OktaUser) -> str:
        return f"{self.org.url}/api/v1/users/{user.id}"

    def _user(self, request: IncomingRequest) -> OktaUser:
        wanted = request.variables["user_id"]
        user = self.org.user(wanted)
        if user is None:
            raise refused("E0000007", f"{wanted} (User)")
        return user

    def _factor(self, request: IncomingRequest) -> tuple[OktaUser, EnrolledFactor]:
        user = self._user(request)
        factor = user.factors.get(request.variables["factor_id"])
        if factor is None:
            raise refused("E0000007", f"{request.variables['factor_id']} (UserFactor)")
        return user, factor


def _is_wanted(user: OktaUser, request: IncomingRequest) -> bool:
    """Return whether a user matches the query: the start of a name, or one comparison."""
    query = request.parameter("q").lower()
    names = [str(user.profile.get(name) or "").lower() for name in ("firstName", "lastName", "email")]
    if not any(name.startswith(query) for name in names):
        return False
    values = {f"profile.{name}": value for name, value in user.profile.items()}
    values |= {"id": user.id, "status": user.status}
    for name in ("filter", "search"):
        for expression in request.query.get(name, []):
            operators = "eq|sw" if name == "search" else "eq"
            found = re.fullmatch(rf'\s*([A-Za-z.]+)\s+({operators})\s+"([^"]*)"\s*', expression)
            if found is None:
                raise refused("E0000031")
            value, wanted = str(values.get(found[1], "")).lower(), found[3].lower()
            if not (value.startswith(wanted) if found[2] == "sw" else value == wanted):
                return False
    return True
