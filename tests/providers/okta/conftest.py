"""The emulated org, asked by an administrator."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from mfagate.providers.oauth import ASSERTION_TYPE
from mfagate.providers.okta.settings import TOKEN_PATH
from mfagate.providers.totp import Totp
from mfagate.sandbox import Running


class Org:
    """The emulator, asked by an administrator."""

    def __init__(self, running: Running) -> None:
        self.running, self.values = running, running.values
        self.session = requests.Session()

    def ask(
        self, method: str, path: str, *, token: str | None = "admin_api_token", **request: Any
    ) -> requests.Response:
        headers = request.pop("headers", {})
        if token is not None:
            headers = {"Authorization": f"SSWS {self.values.get(token, token)}", **headers}
        url = self.running.endpoint + path
        verify = self.running.ca_bundle
        return self.session.request(method, url, headers=headers, timeout=30, verify=verify, **request)

    def code(self, method: str, path: str, **request: Any) -> tuple[int, str | None]:
        """Status and code of an error, which must be whole."""
        answer = self.ask(method, path, **request)
        body = answer.json()
        if "errorCode" not in body:
            return answer.status_code, None
        assert set(body) == {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}
        assert body["errorLink"] == body["errorCode"]
        assert re.fullmatch(r"oae[A-Za-z0-9_-]{22}", body["errorId"])
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status_code, body["errorCode"]

    def user(self, **changed: Any) -> dict[str, Any]:
        login = f"somebody-{uuid.uuid4().hex}@example.com"
        profile = {"firstName": "Some", "lastName": "Body", "email": login, "login": login}
        body = {"profile": profile, "credentials": {"password": {"value": "correct horse battery"}}}
        answer = self.ask("POST", "/api/v1/users", json={**body, **changed})
        assert answer.status_code == 200, answer.text
        user: dict[str, Any] = answer.json()
        return user

    def enrolled(self, user: dict[str, Any], kind: str = "token:software:totp", **more: Any) -> dict[str, Any]:
        body = {"factorType": kind, "provider": "OKTA", **more}
        answer = self.ask("POST", f"/api/v1/users/{user['id']}/factors", json=body)
        assert answer.status_code == 200, answer.text
        factor: dict[str, Any] = answer.json()
        return factor

    def phone(self) -> tuple[str, Totp]:
        """The path of an active factor, and the phone that goes with it."""
        user = self.user()
        factor = self.enrolled(user)
        phone = Totp(factor["_embedded"]["activation"]["sharedSecret"])
        path = f"/api/v1/users/{user['id']}/factors/{factor['id']}"
        done = self.ask("POST", f"{path}/lifecycle/activate", json={"passCode": phone.code_for_enrolment()})
        assert (done.status_code, done.json()["status"]) == (200, "ACTIVE")
        return path, phone

    def token(self, **changed: Any) -> requests.Response:
        """The answer to a request for an access token; a None takes a field away."""
        claims = {
            "iss": self.values["client_id"],
            "sub": self.values["client_id"],
            "aud": self.values["org_url"] + TOKEN_PATH,
            "exp": int(time.time()) + 300,
            "jti": uuid.uuid4().hex,
            **changed.pop("claims", {}),
        }
        key = changed.pop("key", self.values["private_key"])
        headers = changed.pop("header", {"kid": self.values["key_id"]})
        algorithm = changed.pop("algorithm", "RS256")
        whole = {name: value for name, value in claims.items() if value is not None}
        form = {
            "grant_type": "client_credentials",
            "scope": "okta.users.read",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode(whole, key, algorithm=algorithm, headers=headers),
            **changed.pop("form", {}),
        }
        form = {name: value for name, value in form.items() if value is not None}
        return self.ask("POST", TOKEN_PATH, token=None, **{"data": form, **changed})


@pytest.fixture(scope="module")
def org(running: Running) -> Iterator[Org]:
    """One session with it."""
    one = Org(running)
    yield one
    one.session.close()
