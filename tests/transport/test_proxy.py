"""Proxies, working and not."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Phase
from mfagate.core.foreign import ForeignText
from mfagate.core.intermediaries import offered_schemes
from mfagate.transport import Transport
from mfagate.transport.failures import TransportError
from mfagate.transport.proxy import _parse
from tests.transport.conftest import Serve
from tests.transport.helpers import (
    IMPATIENCE,
    PATIENCE,
    answered,
    everything_shown,
    failed,
    prepared,
    server_tls,
    without_hurry,
)
from tests.transport.servers import (
    Server,
    answer,
    black_hole,
    drip,
    hang_up,
    ok,
    proxy,
    read_request,
    reset,
    silent,
    unused_port,
)

Get = Callable[..., Exchange]
SetProxy = Callable[..., None]
USERINFO = "user:canary%2Fpass@"
BASIC = "Basic " + base64.b64encode(b"user:canary/pass").decode()
SECRETS = ("canary", BASIC.split()[1], "Bearer token-canary")


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> SetProxy:
    def use(url: str, variable: str = "all_proxy") -> None:
        monkeypatch.setenv(variable, url)

    return use


def proxy_url(port: int, userinfo: str = "", scheme: str = "http") -> str:
    return f"{scheme}://{userinfo}127.0.0.1:{port}"


def assert_nothing_leaks(exchange: Exchange) -> None:
    shown = everything_shown(exchange)
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_tunnel(serve: Serve, get: Get, use: SetProxy, good_tls: ssl.SSLContext, variable: str) -> None:
    server, middle = serve(ok(b"through"), good_tls), serve(proxy(BASIC))
    use(proxy_url(middle.port, USERINFO), variable)
    exchange = get(server.url(host="localhost"), headers={"Authorization": "Bearer token-canary"})
    assert answered(exchange).body == b"through"
    assert exchange.proxy == proxy_url(middle.port)
    assert exchange.certificate is not None
    assert set(exchange.phases) == set(Phase)
    authority = f"localhost:{server.port}"
    assert middle.requests == [
        f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nProxy-Authorization: {BASIC}\r\n\r\n".encode()
    ]
    assert b"Proxy-Authorization" not in server.requests[0]
    assert_nothing_leaks(exchange)


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_forwarding(serve: Serve, get: Get, use: SetProxy, variable: str) -> None:
    server, middle = serve(ok(b"forwarded")), serve(proxy(BASIC))
    use(proxy_url(middle.port, USERINFO), variable)
    exchange = get(server.url("/a?b"))
    assert answered(exchange).body == b"forwarded"
    assert middle.requests[0].startswith(f"GET {server.url('/a?b')} HTTP/1.1\r\n".encode())
    assert "proxy-authorization" not in exchange.request.headers
    assert_nothing_leaks(exchange)


@pytest.mark.parametrize("target_tls", [True, False])
def test_a_proxy_spoken_to_over_tls(
    serve: Serve, get: Get, use: SetProxy, good_tls: ssl.SSLContext, target_tls: bool
) -> None:
    server, middle = serve(ok(b"x" * 300_000), good_tls if target_tls else None), serve(proxy(), good_tls)
    use(proxy_url(middle.port, scheme="https"))
    exchange = get(server.url(host="localhost"))
    assert answered(exchange).body == b"x" * 300_000
    assert exchange.proxy == proxy_url(middle.port, scheme="https")


def test_no_proxy(serve: Serve, get: Get, use: SetProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(ok())
    use(proxy_url(unused_port()))
    for variable in ("no_proxy", "NO_PROXY"):
        with monkeypatch.context() as environment:
            environment.setenv(variable, "127.0.0.1")
            exchange = get(server.url())
            answered(exchange)
            assert exchange.proxy is None


def test_the_environment_may_be_ignored(serve: Serve, use: SetProxy) -> None:
    use(proxy_url(unused_port()))
    answered(Transport(trust_env=False).send(prepared(serve(ok()).url())))


def test_a_proxy_without_a_scheme_is_http(serve: Serve, get: Get, use: SetProxy) -> None:
    middle = serve(proxy())
    use(f"127.0.0.1:{middle.port}")
    answered(get(serve(ok()).url()))
    assert middle.requests


# What goes wrong at the proxy


def test_refused(get: Get, use: SetProxy) -> None:
    port = unused_port()
    use(proxy_url(port, USERINFO))
    exchange = get("https://provider.example/", headers={"Authorization": "Bearer token-canary"})
    failure = failed(exchange, CauseId.NETWORK_PROXY, Phase.CONNECT)
    assert failure.evidence["problem"] == "network.connection-refused"
    assert failure.evidence["proxy"] == proxy_url(port) == exchange.proxy
    assert_nothing_leaks(exchange)


def test_not_resolved(get: Get, use: SetProxy) -> None:
    use(f"http://{USERINFO}proxy.invalid:3128")
    exchange = get("https://provider.example/")
    assert failed(exchange, CauseId.NETWORK_PROXY, Phase.RESOLVE).evidence["host"] == "proxy.invalid"
    assert_nothing_leaks(exchange)


def test_black_hole(get: Get, use: SetProxy) -> None:
    with black_hole() as port:
        use(proxy_url(port))
        exchange = get("https://provider.example/", timeout=IMPATIENCE)
    failure = failed(exchange, CauseId.NETWORK_PROXY, Phase.CONNECT)
    assert failure.evidence["problem"] == "network.connection-timeout"


REFUSAL = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=canary\r\n\r\n"


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (answer(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), None),
        (answer(b"HTTP/1.1 302 Login\r\nLocation: /\r\n\r\n"), None),
        (answer(b"garbage\r\n"), "network.not-http"),
        (answer(b"HTTP/1.1 200 OK\r\n"), "network.connection-reset"),
        (hang_up, "network.connection-reset"),
        (reset(), "network.connection-reset"),
        (silent, "network.read-timeout"),
        (drip(b"", b"HTTP/1.1 200 OK"), "network.read-timeout"),
        (answer(b"\x15\x03\x03\x00\x02\x02\x46"), "network.not-http"),
    ],
)
def test_connect_fails(serve: Serve, get: Get, use: SetProxy, handler: object, problem: str | None) -> None:
    use(proxy_url(serve(handler).port, USERINFO))
    slow = problem == "network.read-timeout"
    exchange = get("https://provider.example/", timeout=IMPATIENCE if slow else PATIENCE)
    failure = failed(exchange, CauseId.NETWORK_PROXY, Phase.CONNECT)
    assert failure.evidence.get("problem") == problem
    if problem is None:
        assert failure.evidence["status"] in (302, 502)
    assert_nothing_leaks(exchange)


@pytest.mark.parametrize("url", ["https://provider.example/", "http://provider.example/"])
@pytest.mark.parametrize(
    ("userinfo", "message"), [("", "its URL contains neither"), (USERINFO, "refuses the user name")]
)
def test_407(serve: Serve, get: Get, use: SetProxy, url: str, userinfo: str, message: str) -> None:
    use(proxy_url(serve(answer(REFUSAL)).port, userinfo))
    exchange = get(url)
    phase = Phase.CONNECT if url.startswith("https") else Phase.PROCESSING
    failure = failed(exchange, CauseId.NETWORK_PROXY, phase)
    assert failure.evidence["status"] == 407
    assert message in failure.message
    assert_nothing_leaks(exchange)


def test_407_from_anywhere(serve: Serve, get: Get) -> None:
    """From an intercepting proxy that nobody configured."""
    failure = failed(get(serve(answer(REFUSAL)).url()), CauseId.NETWORK_PROXY, Phase.PROCESSING)
    assert failure.evidence == {"status": 407, "offered": "Basic"}
    assert "intercepts" in str(failure.next_step)


def demanding(*challenges: str) -> bytes:
    """A 407 with these fields ``Proxy-Authenticate``."""
    fields = "".join(f"Proxy-Authenticate: {challenge}\r\n" for challenge in challenges)
    return f"HTTP/1.1 407 Proxy Authentication Required\r\n{fields}Content-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("url", ["https://provider.example/", "http://provider.example/"])
@pytest.mark.parametrize("userinfo", ["", USERINFO])
@pytest.mark.parametrize(
    ("challenges", "offered"),
    [
        (("Negotiate", "NTLM"), "Negotiate, NTLM"),
        (("Negotiate, NTLM",), "Negotiate, NTLM"),
        (("NTLM TlRMTVNTUAACAAAA==",), "NTLM"),
        (('Digest realm="a, Basic b", nonce="x", algorithm=MD5',), "Digest"),
    ],
)
def test_a_proxy_that_does_not_take_basic_is_named_with_its_schemes(
    serve: Serve, get: Get, use: SetProxy, url: str, userinfo: str, challenges: tuple[str, ...], offered: str
) -> None:
    """Nobody is sent to set a user name and password that the proxy would not take."""
    port = serve(answer(demanding(*challenges))).port
    use(proxy_url(port, userinfo))
    exchange = get(url)
    assert exchange.failure is not None
    assert exchange.failure.cause is CauseId.NETWORK_PROXY
    assert exchange.failure.evidence["offered"] == offered
    assert offered.replace(", ", " and ") in exchange.failure.message
    step = str(exchange.failure.next_step)
    assert "local proxy" in step
    assert "NO_PROXY" in step
    assert f"127.0.0.1:{port}" in step
    assert_nothing_leaks(exchange)


@pytest.mark.parametrize("challenges", [("Negotiate", 'Basic realm="canary"'), ('NTLM, basic realm="a"',), ()])
def test_a_proxy_that_takes_basic_as_well_wants_a_user(
    serve: Serve, get: Get, use: SetProxy, challenges: tuple[str, ...]
) -> None:
    use(proxy_url(serve(answer(demanding(*challenges))).port))
    exchange = get("https://provider.example/")
    assert exchange.failure is not None
    assert "its URL contains neither" in exchange.failure.message
    assert "USER:PASSWORD@" in str(exchange.failure.next_step)
    assert_nothing_leaks(exchange)


@pytest.mark.parametrize("url", ["https://provider.example/", "http://provider.example/"])
@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"503 Service Unavailable\r\nX-Squid-Error: ERR_DNS_FAIL 0", "cannot resolve provider.example"),
        (b"502 Bad Gateway\r\nProxy-Status: p; error=dns_error; rcode=NXDOMAIN", "cannot resolve provider.example"),
        (b"403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0", "403 (ERR_ACCESS_DENIED)"),
        (b"504 Gateway Timeout\r\nProxy-Status: p; error=connection_timeout", "504 (connection_timeout)"),
    ],
)
def test_what_a_proxy_says_of_its_own_error(
    serve: Serve, get: Get, use: SetProxy, url: str, head: bytes, said: str
) -> None:
    use(proxy_url(serve(answer(b"HTTP/1.1 " + head + b"\r\nContent-Length: 0\r\n\r\n")).port))
    failure = get(url).failure
    assert failure is not None
    assert failure.cause is CauseId.NETWORK_PROXY
    assert said in failure.message
    if "resolve" in said:
        assert "the name is wrong" in str(failure.next_step)


@without_hurry
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Basic", "NTLM", "Negotiate", "Digest", "X-Own"]),
            st.sampled_from(["", " TlRM+/==", ' realm="a, NTLM \\" b"', ' realm = "x" , charset="UTF-8"']),
        ),
        min_size=1,
    )
)
def test_schemes_are_read_out_of_any_list_of_challenges(challenges: list[tuple[str, str]]) -> None:
    field = ForeignText(" , ".join(scheme + rest for scheme, rest in challenges))
    assert offered_schemes((field,)) == list(dict.fromkeys(scheme for scheme, _ in challenges))


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nProxy-Authenticate: Basic\r\n\r\n",
        b"HTTP/1.1 503 Service Unavailable\r\nProxy-Status: p; error=dns_timeout\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nVia: 1.1 proxy\r\n\r\n",
        b"HTTP/1.1 504 Gateway Timeout\r\nVia: 1.1 proxy\r\n\r\n",
    ],
)
def test_a_forwarding_proxy_answers_for_itself(serve: Serve, get: Get, use: SetProxy, head: bytes) -> None:
    use(proxy_url(serve(answer(head)).port))
    failure = failed(get("http://provider.example/"), CauseId.NETWORK_PROXY, Phase.PROCESSING)
    assert failure.evidence["status"] == int(head.split()[1])


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\nProxy-Status: p; fwd=miss\r\n\r\n",
        b"HTTP/1.1 503 Service Unavailable\r\nVia: 1.1 proxy\r\nProxy-Status: p; received-status=503\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
    ],
)
def test_a_forwarded_answer_is_the_servers(serve: Serve, get: Get, use: SetProxy, head: bytes) -> None:
    use(proxy_url(serve(answer(head)).port))
    assert answered(get("http://provider.example/")).status == int(head.split()[1])


def test_silence_of_a_forwarding_proxy_is_not_blamed_on_it(serve: Serve, get: Get, use: SetProxy) -> None:
    use(proxy_url(serve(silent).port))
    exchange = get("http://provider.example/", timeout=IMPATIENCE)
    failed(exchange, CauseId.NETWORK_READ_TIMEOUT, Phase.PROCESSING)


@pytest.mark.parametrize("handler", [hang_up, answer(b"garbage"), reset()])
def test_a_forwarding_proxy_breaks_off(serve: Serve, get: Get, use: SetProxy, handler: object) -> None:
    use(proxy_url(serve(handler).port, USERINFO))
    exchange = get("http://provider.example/")
    failed(exchange, CauseId.NETWORK_PROXY, Phase.PROCESSING)
    assert_nothing_leaks(exchange)


def test_an_untrusted_proxy(serve: Serve, get: Get, use: SetProxy) -> None:
    tls = server_tls(trustme.CA().issue_cert("127.0.0.1"))
    use(proxy_url(serve(proxy(), tls).port, scheme="https"))
    failure = failed(get("https://provider.example/"), CauseId.NETWORK_PROXY, Phase.TLS)
    assert failure.evidence["problem"] == "network.tls-untrusted"
    assert failure.evidence["names"] == ["127.0.0.1"]


def test_an_untrusted_server_behind_a_proxy(serve: Serve, get: Get, use: SetProxy) -> None:
    server = serve(ok(), server_tls(trustme.CA().issue_cert("localhost")))
    middle = serve(proxy(BASIC))
    use(proxy_url(middle.port, USERINFO))
    exchange = get(server.url(host="localhost"))
    failure = failed(exchange, CauseId.NETWORK_TLS_UNTRUSTED, Phase.TLS)
    assert failure.evidence["names"] == ["localhost"]
    assert len(middle.requests) == 2
    assert_nothing_leaks(exchange)


def test_plain_http_behind_a_tunnel(serve: Serve, get: Get, use: SetProxy) -> None:
    """What the proxy answers and what the server says are told apart, even in one segment."""
    greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    middle = serve(answer(b"HTTP/1.1 200 Connection established\r\n\r\n", greeting))
    use(proxy_url(middle.port))
    failure = failed(get("https://provider.example/"), CauseId.NETWORK_TLS_HANDSHAKE, Phase.TLS)
    assert failure.evidence["received"] == "HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize("scheme", ["socks4", "socks5", "socks5h"])
def test_socks(get: Get, use: SetProxy, scheme: str) -> None:
    use(f"{scheme}://{USERINFO}127.0.0.1:9")
    exchange = get("https://provider.example/")
    failure = failed(exchange, CauseId.NETWORK_PROXY, Phase.RESOLVE)
    assert scheme in failure.message
    assert exchange.proxy == f"{scheme}://127.0.0.1:9"
    assert_nothing_leaks(exchange)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:canary/pass@proxy.example:3128",
        "http://user:12/canary@proxy.example:3128",
        "http://user:12#canary@proxy.example:3128",
        "http://user:12?canary@proxy.example:3128",
        "http://user:canary@proxy.example:port",
        "http://user:canary@[proxy",
        "http://user:canary@",
        "quic://user:canary@proxy.example",
    ],
)
def test_a_malformed_proxy_url(get: Get, use: SetProxy, url: str) -> None:
    use(url)
    exchange = get("https://provider.example/")
    failure = failed(exchange, CauseId.NETWORK_PROXY, Phase.RESOLVE)
    assert "malformed" in failure.message
    assert_nothing_leaks(exchange)
    assert "user" not in repr(exchange)


@without_hurry
@given(st.text(alphabet="htps:/@[]?#%.0123456789aü\u3002\udcff -"))
def test_no_proxy_url_is_too_odd(url: str) -> None:
    try:
        assert "@" not in _parse(url).name
    except TransportError as error:
        assert error.cause is CauseId.NETWORK_PROXY


def test_a_server_that_shows_the_request_back_leaks_nothing(serve: Serve, get: Get, use: SetProxy) -> None:
    def mirror(connection: socket.socket, server: Server) -> None:
        connection.sendall(read_request(connection))

    use(proxy_url(serve(mirror).port, USERINFO))
    for url in ("http://a/", "https://a/"):
        exchange = get(url, headers={"Authorization": "Bearer token-canary"})
        assert exchange.failure
        assert exchange.failure.cause is CauseId.NETWORK_PROXY
        assert_nothing_leaks(exchange)


@pytest.mark.parametrize("elsewhere", ["http://proxy.example:3128", "https://192.0.2.1", "http://u:p4ss@[2001:db8::1]"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_plain_http_to_this_machine_does_not_leave_it(
    serve: Serve, get: Get, use: SetProxy, elsewhere: str, host: str
) -> None:
    """A configuration may use plain http there, because nobody else can read it."""
    server = serve(ok(b"here"))
    use(elsewhere)
    exchange = get(server.url(host=host), headers={"Authorization": "Bearer token-canary"})
    failure = failed(exchange, CauseId.NETWORK_PROXY, Phase.RESOLVE)
    assert "NO_PROXY" in failure.message
    assert server.requests == []
    assert_nothing_leaks(exchange)
    use(host, "no_proxy")
    assert answered(get(server.url(host=host))).body == b"here"


def test_a_page_instead_of_a_tunnel(serve: Serve, get: Get, use: SetProxy) -> None:
    """The login page of a network, at a proxy that consents to everything."""
    page = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>Login to WiFi</title></html>"
    use(proxy_url(serve(answer(page)).port))
    exchange = get("https://provider.example/")
    assert exchange.failure is not None
    assert exchange.failure.cause is CauseId.NETWORK_PROXY
    assert "its own page" in exchange.failure.message
    assert "log in" in (exchange.failure.next_step or "")
