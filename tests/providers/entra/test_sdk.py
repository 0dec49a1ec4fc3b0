"""The referees of the emulator: Microsoft's own libraries, unmodified, over verified TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import jwt
import msal
import pytest
import requests

from mfagate.sandbox import Running

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the libraries among themselves

PROVIDER = "entra"

SCOPES = ["https://graph.microsoft.com/.default"]


def session(running: Running) -> requests.Session:
    """A session that trusts the sandbox, whatever bundle the environment names."""
    made = requests.Session()
    made.verify = running.ca_bundle
    made.trust_env = False
    return made


def authority(running: Running, tenant: str = "tenant_id") -> dict[str, Any]:
    return {
        "authority": f"{running.endpoint}/{running.values.get(tenant, tenant)}",
        "instance_discovery": False,
        "http_client": session(running),
    }


def confidential(running: Running, credential: Any = None, client: str = "client_id", **more: Any) -> Any:
    """A new application each time: msal remembers refusals."""
    given = running.values["client_secret"] if credential is None else credential
    named = running.values.get(client, client)
    return msal.ConfidentialClientApplication(named, client_credential=given, **authority(running, **more))


def token(running: Running, credential: Any = None, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = confidential(running, credential, **more).acquire_token_for_client(SCOPES)
    return answer


def test_a_token_for_a_secret(running: Running) -> None:
    application = confidential(running)
    answer = application.acquire_token_for_client(SCOPES)
    assert (answer["token_type"], answer["token_source"]) == ("Bearer", "identity_provider")
    assert application.acquire_token_for_client(SCOPES)["token_source"] == "cache"


@pytest.mark.parametrize("whole", [True, False], ids=["PS256 by the certificate", "RS256 by the thumbprint"])
def test_a_token_for_a_certificate(running: Running, whole: bool) -> None:
    values = running.values
    named = {"public_certificate": values["certificate"]} if whole else {"thumbprint": values["certificate_thumbprint"]}
    assert token(running, {"private_key": values["private_key"], **named})["token_type"] == "Bearer"


def test_a_token_for_a_token_of_another_identity_provider(running: Running) -> None:
    assert token(running, {"client_assertion": running.values["client_assertion"]})["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("claim", "number"), [({"iss": "https://other"}, 700211), ({"sub": "x"}, 700213), ({"aud": "api://x"}, 700212)]
)
def test_tokens_that_no_federated_credential_is_for(running: Running, claim: dict[str, str], number: int) -> None:
    held = jwt.decode(running.values["client_assertion"], options={"verify_signature": False})
    made = jwt.encode({**held, **claim}, running.values["issuer_private_key"], "RS256")
    answer = token(running, {"client_assertion": made})
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [number])


@pytest.mark.parametrize(
    ("credential", "client", "error", "number"),
    [
        ("abc8Q~" + "d" * 34, "client_id", "invalid_client", 7000215),
        ("secret_id", "client_id", "invalid_client", 7000215),
        ("expired_client_secret", "client_id", "invalid_client", 7000222),
        ("client_secret", "object_id", "unauthorized_client", 700016),
        ("client_secret", "other_client_id", "unauthorized_client", 700016),
        ("disabled_client_secret", "disabled_client_id", "unauthorized_client", 7000112),
        ("client_secret", "public_client_id", "invalid_client", 700025),
    ],
)
def test_refused_secrets(running: Running, credential: str, client: str, error: str, number: int) -> None:
    answer = token(running, running.values.get(credential, credential), client=client)
    assert (answer["error"], answer["error_codes"]) == (error, [number])
    assert answer["error_description"].startswith(f"AADSTS{number}: ")
    assert {"trace_id", "correlation_id", "timestamp", "error_uri"} <= answer.keys()


def test_a_certificate_that_is_not_registered(running: Running) -> None:
    credential = {"private_key": running.values["private_key"], "thumbprint": "0A" * 20}
    assert token(running, credential)["error_codes"] == [700027]


def test_an_unknown_tenant(running: Running) -> None:
    """Seen at the metadata already; what the server said is lost in the library."""
    with pytest.raises(ValueError, match="authority configuration"):
        confidential(running, tenant="b5a3c1d2-0f4e-4a6b-8c7d-9e1f2a3b4c5d")


def test_a_wrong_scope(running: Running) -> None:
    application = confidential(running)
    answers = [
        application.acquire_token_for_client([scope]) for scope in ("User.Read", "https://graph.microsoft.us/.default")
    ]
    assert [answer["error"] for answer in answers] == ["invalid_scope", "invalid_resource"]


def device_flow(running: Running) -> tuple[Any, dict[str, Any]]:
    application = msal.PublicClientApplication(running.values["public_client_id"], **authority(running))
    flow: dict[str, Any] = application.initiate_device_flow(scopes=["User.Read"])
    assert flow["verification_uri"] == "https://microsoft.com/devicelogin"
    assert (flow["user_code"] in flow["message"], flow["interval"]) == (True, 5)
    return application, flow


def enter(running: Running, flow: dict[str, Any], user: str) -> int:
    """What somebody does in a browser."""
    form = {"user_code": flow["user_code"], "username": running.values[user]}
    return session(running).post(f"{running.endpoint}/common/oauth2/deviceauth", data=form, timeout=30).status_code


def poll(application: Any, flow: dict[str, Any]) -> dict[str, Any]:
    """Ask once, and without having waited."""
    fresh = {name: value for name, value in flow.items() if name != "latest_attempt_at"}
    answer: dict[str, Any] = application.acquire_token_by_device_flow(fresh, exit_condition=lambda flow: True)
    return answer


@pytest.mark.parametrize("named", ["user", "user_name"])
def test_a_sign_in_that_is_accepted(running: Running, named: str) -> None:
    application, flow = device_flow(running)
    assert poll(application, flow)["error"] == "authorization_pending"
    assert enter(running, flow, named) == 200
    answer = poll(application, flow)
    held = answer["id_token_claims"]
    assert (held["oid"], held["tid"]) == (running.values["user"], running.values["tenant_id"])
    assert held["aud"] == running.values["public_client_id"]
    assert held["preferred_username"] == running.values["user_name"]
    (account,) = application.get_accounts()
    assert account["home_account_id"] == f"{held['oid']}.{held['tid']}"
    assert poll(application, flow)["error"] == "invalid_grant"


def test_a_sign_in_that_is_declined(running: Running) -> None:
    application, flow = device_flow(running)
    enter(running, flow, "declining_user")
    assert poll(application, flow)["error"] == "authorization_declined"


@pytest.mark.parametrize(
    ("code", "error"),
    [("expired_device_code", "bad_verification_code"), ("nonsense", "bad_verification_code")],
    ids=["another application's", "nobody's"],
)
def test_a_sign_in_that_is_not_ours(running: Running, code: str, error: str) -> None:
    application, flow = device_flow(running)
    assert poll(application, flow | {"device_code": running.values.get(code, code)})["error"] == error


def test_a_confidential_application_needs_its_credential(running: Running) -> None:
    application = msal.PublicClientApplication(running.values["client_id"], **authority(running))
    flow = application.initiate_device_flow(scopes=["User.Read"])
    assert poll(application, flow)["error_codes"] == [7000218]


class TestGraph:
    """Imports of msgraph take seconds, so they stand where they are needed."""

    @pytest.fixture
    def graph(self, running: Running) -> Callable[[Callable[[Any], Coroutine[Any, Any, Any]], str], Any]:
        """Asks Graph with a token."""
        import httpx
        from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
        from kiota_http.middleware.options import RetryHandlerOption
        from msgraph import GraphRequestAdapter, GraphServiceClient
        from msgraph.graph_request_adapter import options
        from msgraph_core import GraphClientFactory

        class Given:
            def __init__(self, token: str) -> None:
                self.token = token

            async def get_authorization_token(self, uri: str, additional_authentication_context: Any = None) -> str:
                return self.token

            def get_allowed_hosts_validator(self) -> Any:
                return None

        async def asked(ask: Callable[[Any], Coroutine[Any, Any, Any]], token: str) -> Any:
            trusted = ssl.create_default_context(cafile=running.ca_bundle)
            once = {**options, RetryHandlerOption.get_key(): RetryHandlerOption(should_retry=False)}
            async with httpx.AsyncClient(verify=trusted, trust_env=False, timeout=30) as plain:
                client = GraphClientFactory.create_with_default_middleware(client=plain, options=once)
                adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Given(token)), client=client)
                adapter.base_url = f"{running.endpoint}/v1.0"
                return await ask(GraphServiceClient(request_adapter=adapter))

        return lambda ask, token: asyncio.run(asked(ask, token))

    def refused(self, graph: Any, ask: Any, token: str) -> tuple[int, str]:
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError

        with pytest.raises(ODataError) as raised:
            graph(ask, token)
        error = raised.value
        assert error.error.inner_error.request_id == error.response_headers["request-id"]
        assert error.error.inner_error.date is not None
        return error.response_status_code, error.error.code

    @pytest.mark.parametrize("named", ["user", "user_name"])
    def test_the_methods_of_a_user(self, running: Running, graph: Any, named: str) -> None:
        user = running.values[named]
        access = token(running)["access_token"]
        listed = graph(lambda client: client.users.by_user_id(user).authentication.methods.get(), access)
        kinds = {type(one).__name__ for one in listed.value}
        assert kinds == {
            "PasswordAuthenticationMethod",
            "MicrosoftAuthenticatorAuthenticationMethod",
            "SoftwareOathAuthenticationMethod",
        }
        assert all(one.created_date_time is not None for one in listed.value)
        typed = graph(lambda client: client.users.by_user_id(user).authentication.software_oath_methods.get(), access)
        (software,) = typed.value
        one = graph(
            lambda client: (
                client.users.by_user_id(user).authentication.methods.by_authentication_method_id(software.id).get()
            ),
            access,
        )
        assert one.id == software.id

    def test_the_secrets_of_an_application(self, running: Running, graph: Any) -> None:
        client_id, secret = running.values["client_id"], running.values["client_secret"]
        access = token(running)["access_token"]
        registration = graph(lambda client: client.applications_with_app_id(client_id).get(), access)
        assert registration.app_id == client_id
        assert len([one for one in registration.password_credentials if one.hint == secret[:3]]) == 1
        assert all(one.secret_text is None for one in registration.password_credentials)
        (certificate,) = registration.key_credentials
        assert certificate.custom_key_identifier is not None
        listed = graph(lambda client: client.applications.get(), access)
        assert registration.id in {one.id for one in listed.value}

    def test_what_is_refused(self, running: Running, graph: Any) -> None:
        def methods(user: str) -> Any:
            return lambda client: client.users.by_user_id(user).authentication.methods.get()

        def organization(client: Any) -> Any:
            return client.organization.get()

        user, values = running.values["user"], running.values
        good = token(running)["access_token"]
        bare = token(running, values["roleless_client_secret"], client="roleless_client_id")["access_token"]
        cases = [
            (methods("nobody@mfagate.onmicrosoft.com"), good, (404, "Request_ResourceNotFound")),
            (methods(values["object_id"]), good, (404, "Request_ResourceNotFound")),
            (methods(user), bare, (403, "accessDenied")),
            (organization, good, (403, "Authorization_RequestDenied")),
            (methods(user), "no-token", (401, "InvalidAuthenticationToken")),
            (methods(user), values["expired_token"], (401, "InvalidAuthenticationToken")),
        ]
        for ask, access, expected in cases:
            assert self.refused(graph, ask, access) == expected
