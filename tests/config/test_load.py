from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfagate.config.load import ConfigError, load
from mfagate.config.model import Configuration

from .conftest import Dump, Load

SANDBOX = 'environment = "sandbox"\n'
VALID = '[integrations.x]\nprovider = "privacyidea"\n' + SANDBOX

CANARY = "c4n4ry-secret"
NUMBER = 73918274650

COMPLETE: dict[str, Any] = {
    "gate": {"expiring_soon_days": 7, "cassette_max_age_days": 90},
    "integrations": {
        "x": {
            "provider": "privacyidea",
            "environment": "sandbox",
            "share_of_users": 0.3,
            "endpoint": "https://mfa.example.com",
            "ca_bundle": "ca.pem",
            "contract": "pact.json",
            "cassettes": "recordings",
            "timeout_seconds": 5,
            "minimum_checks": 3,
            "production_allows": ["failing-credential"],
            "settings": {"url": "https://mfa.example.com", "validate_key": "env:KEY"},
            "expect": {"realm": "employees"},
            "control": {"validate_key": "env:OTHER"},
            "test_data": {"user": "someone"},
            "client": {"timeout_seconds": 3, "retries": "env:RETRIES", "when_unavailable": "deny"},
            "documentation": {"owner": "us", "rotation_days": 90, "reviewed": datetime.date(2026, 10, 1)},
            "waivers": [
                {
                    "cause": "contract.field-missing",
                    "check": "contract.interaction",
                    "subject": "OTP *",
                    "reason": "known",
                    "owner": "us",
                    "until": datetime.date(2026, 10, 1),
                }
            ],
        }
    },
}


def paths(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every key of a document, tables and items of lists of tables included."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [longer for key, item in below for longer in paths(item, (*path, str(key)))]
    return [path, *found] if path else found


def with_value(document: Any, path: tuple[str, ...], value: Any) -> Any:
    """The document with one value exchanged."""
    if path and isinstance(document, list):
        return [with_value(item, path[1:], value) if str(n) == path[0] else item for n, item in enumerate(document)]
    return {**document, path[0]: with_value(document[path[0]], path[1:], value)} if path else value


def refused(load_text: Load, content: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_text(content)
    return caught.value


def test_a_complete_file_is_read_with_its_types(load_text: Load, dump: Dump) -> None:
    integration = load_text(dump(COMPLETE)).integrations["x"]
    assert (integration.name, integration.unknown_keys) == ("x", ())
    assert integration.client.retries == "env:RETRIES"
    assert integration.documentation.reviewed == datetime.date(2026, 10, 1)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("timeout_seconds", '"5"', "must be a number without quotes, such as 5 or 0.5"),
        ("timeout_seconds", "true", "must be a number without quotes, such as 5 or 0.5"),
        ("timeout_seconds", "inf", "should be a finite number"),
        ("timeout_seconds", "0", "should be greater than 0"),
        ("share_of_users", "nan", "should be a finite number"),
        ("share_of_users", "30", "must be between 0 and 1, such as 0.3 for 30 %"),
        ("minimum_checks", "1.5", "must be a whole number without quotes, such as 5"),
        ("minimum_checks", "true", "must be a whole number without quotes, such as 5"),
        ("ca_bundle", "5", "must be a path in quotes"),
        ("contract", '"a\\u0000b"', "should be a path without a NUL character"),
        ("production_allows", '"failing-credential"', 'must be a list, such as ["a", "b"]'),
        ("production_allows", "{}", 'must be a list, such as ["a", "b"]'),
        ("settings.realm", "5", "must be a string in quotes"),
        ("settings.str", "5", "must be a string in quotes"),
        ("expect", "[]", "must be a table: write its keys below a line [integrations.x.expect]"),
        ("client.retries", "true", "must be a number, or a reference in quotes"),
        ("client.retries", "nan", "must be a number, or a reference in quotes"),
        ("documentation", '"us"', "must be a table: write its keys below a line [integrations.x.documentation]"),
        ("documentation.rotation_days", "0", "should be greater than 0"),
        ("documentation.reviewed", "86400", "must be a date such as 2026-10-01"),
        ("documentation.reviewed", '"soon"', "must be a date such as 2026-10-01"),
        ("documentation.reviewed", "2026-10-01T10:00:00", "must be a date such as 2026-10-01, without a time"),
    ],
)
def test_a_wrong_value_is_named_by_line_and_key_with_what_is_due(
    tmp_path: Path, load_text: Load, key: str, value: str, message: str
) -> None:
    (problem,) = refused(load_text, f"{VALID}{key} = {value}\n").problems
    assert str(problem) == f"{tmp_path / 'integrations.toml'}:4: integrations.x.{key}: {message}"


# The line at fault is marked by #!
@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        pytest.param("[integrations.x] #!\n" + SANDBOX, "integrations.x.provider", "is missing", id="missing"),
        pytest.param(
            "[integrations.x.settings] #!\nurl = 'u'\n[integrations]\nx." + SANDBOX,
            "integrations.x.provider",
            "is missing",
            id="missing in a table that is only implied",
        ),
        pytest.param(
            "[integrations.float] #!\n" + SANDBOX, "integrations.float.provider", "is missing", id="named float"
        ),
        pytest.param(VALID.replace("x]", "'y z'] #!"), "integrations.y z", "an integration's name is", id="name"),
        pytest.param(
            VALID.replace("sandbox", "sandpit").strip() + " #!",
            "integrations.x.environment",
            "should be 'production', 'staging', 'sandbox' or 'development'",
            id="enumeration",
        ),
        pytest.param(
            VALID + "production_allows = [\n'unsafe', #!\n]",
            "integrations.x.production_allows.0",
            "should be 'failing-credential' or 'unsafe-interactions'",
            id="item of a list",
        ),
        pytest.param(
            VALID + "waivers = [\n{ cause = 'config.fails-open', reason = 'r', owner = 'o', until = 2026-01-01 },\n"
            "{ reason = 'r', owner = 'o', until = 2026-01-01, cause = 'cassette.stal' }, #!\n]",
            "integrations.x.waivers.1.cause",
            "no cause has this id (did you mean 'cassette.stale'?)",
            id="waiver of a list",
        ),
        pytest.param("integrations = 5 #!", "integrations", "must be a table", id="no table"),
        pytest.param("[[integrations]] #!", "integrations", "must be a table", id="array of tables"),
        pytest.param("[gates] #!", "gates", "unknown key (did you mean 'gate'?)", id="unknown table"),
        pytest.param(
            "[gate]\nexpiring_days = 3 #!",
            "gate.expiring_days",
            "unknown key (did you mean 'expiring_soon_days'?)",
            id="unknown key",
        ),
        pytest.param(
            VALID.replace('idea"', 'idae" #!'),
            "integrations.x.provider",
            "no provider has this name (did you mean 'privacyidea'?); installed: privacyidea",
            id="unknown provider",
        ),
        pytest.param("a = 1\nb = #!", "", "is not TOML: invalid value", id="syntax"),
        pytest.param("a = 1\na = 2 #!", "", "is not TOML: cannot overwrite a value", id="key twice"),
        pytest.param("[gate]\n[gate] #!", "", "is not TOML: cannot declare", id="table twice"),
        pytest.param(
            "a = 1\nb = 1" + "0" * 9999 + " #!", "", "contains a number with too many digits", id="10,000 digits"
        ),
        pytest.param("a = 1\nb" + ".c" * 9999 + " = 1 #!", "", "is nested too deeply", id="10,000 dots"),
    ],
)
def test_an_error_names_line_and_key_and_the_remedy(load_text: Load, text: str, key: str, message: str) -> None:
    (problem,) = refused(load_text, text).problems
    assert (problem.key, problem.location.line) == (key, text[: text.index("#!")].count("\n") + 1)
    assert problem.message.startswith(message)


def test_all_errors_come_at_once_in_the_order_of_the_file(load_text: Load) -> None:
    first = "[integrations.b]\ntimeout_seconds = 'a'\nprovidr = 'a'\nenvironment = 'sandbox'\n"
    error = refused(load_text, "[gate]\nx = 1\n" + first + "[integrations.a]\n")
    assert [(problem.location.line, problem.key) for problem in error.problems] == [
        (2, "gate.x"),
        (3, "integrations.b.provider"),
        (4, "integrations.b.timeout_seconds"),
        (5, "integrations.b.providr"),
        (7, "integrations.a.provider"),
        (7, "integrations.a.environment"),
    ]
    assert "did you mean 'provider'?" in error.problems[3].message


def test_an_unknown_key_inside_an_integration_is_kept_for_its_report(load_text: Load) -> None:
    integration = load_text(
        VALID + "timeout = 5\nclient.retry = 1\n[integrations.x.setings]\nurl = 'u'\n"
    ).integrations["x"]
    assert integration.unknown_keys == (("timeout",), ("setings",), ("client", "retry"))
    assert [integration.locate(*keys).line for keys in integration.unknown_keys] == [4, 6, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(bytes(range(256)), "not text in UTF-8", id="binary"),
        pytest.param(VALID.encode("utf-16"), "not text in UTF-8", id="utf-16"),
        pytest.param(VALID.encode("utf-16-le"), "is not TOML", id="utf-16 without a mark"),
        pytest.param(VALID.encode("utf-8-sig"), "byte order mark", id="byte order mark"),
        pytest.param(b"#" * (10 << 20), "larger than 1 MiB", id="10 MB"),
        pytest.param("a = " + "[" * 100_000, "nested too deeply", id="arrays"),
        pytest.param("a = " + "{a=" * 100_000, "nested too deeply", id="inline tables"),
        pytest.param("a." * 400_000 + "a = 1", "nested too deeply", id="dotted key"),
        pytest.param("['a'" + ".'a'" * 400 + "]", "nested too deeply", id="header of quoted keys"),
    ],
)
def test_what_is_no_configuration_is_refused(load_text: Load, content: str | bytes, message: str) -> None:
    assert message in str(refused(load_text, content))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.toml", "cannot be read: No such file or directory; name another one with --config PATH"),
        (".", "cannot be read: Is a directory"),
        ("/proc/self/mem", "cannot be read: Input/output error"),
        ("nul\0.toml", "cannot be read: embedded null byte"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path / name, [])


def test_an_empty_file_is_a_configuration_of_nothing(load_text: Load) -> None:
    assert load_text("").integrations == {}


def test_a_long_string_with_dots_is_no_deep_nesting(load_text: Load) -> None:
    words = " ".join(["word.", "Other", '"words"."dots"'] * 50).replace('"', "")
    assert load_text(f"{VALID}endpoint = '{words}' # {'.' * 200}").integrations["x"].endpoint == words


@pytest.mark.parametrize("path", paths(COMPLETE), ids=".".join)
def test_no_value_is_in_any_message(load_text: Load, dump: Dump, path: tuple[str, ...]) -> None:
    day = datetime.date(1973, 9, 18)
    for value in (CANARY, [CANARY], {"key": CANARY}, {"key": [{"key": CANARY}]}, NUMBER, NUMBER / 8, day, [day]):
        try:
            load_text(dump(with_value(COMPLETE, path, value)))
        except ConfigError as error:
            messages = " ".join(problem.message for problem in error.problems)
            assert not any(leak in messages for leak in (CANARY, str(NUMBER), str(NUMBER / 8), "1973", "18"))


@pytest.mark.parametrize("place", ["value", '"""value', "'value", "[ 'value'", "{ a = 'value'", "value'", "1value"])
def test_no_value_is_in_a_message_about_syntax(load_text: Load, place: str) -> None:
    assert CANARY not in str(refused(load_text, VALID + f"endpoint = {place.replace('value', CANARY)}"))


scalars = (
    st.text(max_size=8)
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.sampled_from(["privacyidea", "production", "env:A", "5"])
)
trees = st.recursive(
    scalars, lambda item: st.lists(item, max_size=3) | st.dictionaries(st.text(max_size=5), item, max_size=3)
)


def read_or_refuse(load_text: Load, content: str | bytes) -> None:
    try:
        assert isinstance(load_text(content), Configuration)
    except ConfigError as error:
        assert error.problems


quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(data=st.data())
def test_any_value_anywhere_is_read_or_refused(load_text: Load, dump: Dump, data: st.DataObject) -> None:
    document = COMPLETE
    # Inner keys first, so that a table stays one until its own turn.
    for path in sorted(data.draw(st.sets(st.sampled_from(paths(COMPLETE)), max_size=3)), key=len, reverse=True):
        document = with_value(document, path, data.draw(trees))
    read_or_refuse(load_text, dump(document))


@quick
@given(content=st.binary() | st.text(alphabet="[]{}=.,\"'\\#\n abx10-:é\u0000").map(lambda text: text.encode()))
def test_any_bytes_are_read_or_refused(load_text: Load, content: bytes) -> None:
    read_or_refuse(load_text, content)


@pytest.mark.parametrize(
    ("there", "asked", "words"),
    [
        (
            "integrations.toml",
            "tests/unit/integrations.toml",
            "; there is {up}: name it with --config, or run mfagate in its folder",
        ),
        ("integrations.toml", "integration.toml", " (did you mean 'integrations.toml'?)"),
        ("shop.toml", "integrations.toml", "; name another one with --config PATH, or start one with `mfagate init`"),
    ],
)
def test_a_file_that_is_elsewhere_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str, asked: str, words: str
) -> None:
    """A command in the wrong folder, or a wrong name, is the most frequent reason."""
    (tmp_path / there).write_text("")
    (tmp_path / asked).parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir((tmp_path / asked).parent)
    with pytest.raises(ConfigError) as error:
        load(Path(Path(asked).name), ["p"])
    up = "../../integrations.toml"
    assert f"cannot be read: No such file or directory{words.format(up=up)}" in str(error.value)


def test_a_file_outside_the_repository_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "integrations.toml").write_text("")
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository")
    with pytest.raises(ConfigError, match="or start one with `mfagate init`"):
        load(Path("integrations.toml"), ["p"])


def test_a_working_directory_that_is_gone_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ConfigError, match="or start one with `mfagate init`"):
        load(Path("integrations.toml"), ["p"])
