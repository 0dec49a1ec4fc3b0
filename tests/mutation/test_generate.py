"""The edits of any value, and of a whole project, without any server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfagate.cli.mutate import CLASSES
from mfagate.config.load import ConfigError, load
from mfagate.config.settings import SettingField
from mfagate.core.finding import Location
from mfagate.mutation import Class, Mutant, MutantResult, MutantStatus, mutants_of, report
from mfagate.mutation.copy import Copy
from mfagate.mutation.layout import MutatedProject, NotMutable, project_of, shared_sandboxes
from mfagate.mutation.model import EditOperator, EditTarget
from mfagate.mutation.values import OPERATORS, edits, redrawn
from mfagate.providers import registry
from mfagate.sandbox import Running

SECRET = registry.get("duo").settings.fields()[2]
VALUES = {
    "host": "api-1a2b3c4d.duosecurity.com",
    "integration_key": "DIABCDEFGH12345678QZ",
    "secret_key": "Zq7fR2mW9xK4pL8sT1vB6nY3hJ5gD0cQ7wE2rT4y",
    "user": "mfagate-user",
}

HEAD = '[integrations.duo]\nprovider = "duo"\nenvironment = "production"\n[integrations.duo.settings]\n'


def target(value: str, field: SettingField = SECRET) -> EditTarget:
    return EditTarget("duo", field, value, Location(Path("x"), 1))


def project(
    folder: Path, text: str, chosen: tuple[str, ...] = (), values: Mapping[str, str] = VALUES
) -> MutatedProject:
    (folder / "integrations.toml").write_text(text)
    configuration = load(folder / "integrations.toml", registry.names())
    integrations = configuration.select(chosen)
    running = Running("https://127.0.0.1:1", values, frozenset({"secret_key"}))
    return project_of(configuration, integrations, {one.name: running for one in integrations})


@given(value=st.text(max_size=60), seed=st.integers())
@settings(deadline=None)
def test_any_value_can_be_edited(value: str, seed: int) -> None:
    for operator, edited in edits(target(value), Random(seed)):
        assert edited != value, operator.name


def test_the_same_seed_gives_the_same_edits() -> None:
    once, again, other = (list(edits(target(VALUES["secret_key"]), Random(seed))) for seed in (1, 1, 2))
    assert once == again != other


@given(st.from_regex(r"[A-Za-z0-9]{40}|DI[A-Z0-9]{18}|[0-9a-f]{32}", fullmatch=True), st.integers())
@settings(deadline=None)
def test_a_redrawn_value_keeps_its_shape(value: str, seed: int) -> None:
    drawn = redrawn(value, Random(seed))
    assert drawn is not None
    assert len(drawn) == len(value)
    kinds = [(c.isdigit(), c.islower(), c.isupper()) for c in value]
    assert [(c.isdigit(), c.islower(), c.isupper()) for c in drawn] == kinds


LAYOUTS = st.fixed_dictionaries(
    {
        name: st.sampled_from(
            [
                "sandbox:" + name,
                f"env:DUO_{name.upper()}",
                f"dotenv:deploy/duo.env#{name}",
                f"json:a.json#mfa.{name}",
                f"yaml:b.yaml#mfa.0.{name}",
                f"toml:c.toml#mfa.{name}",
                f"k8s-secret:secret.yaml#mfa/{name}",
                f"file:secrets/{name}",
                f"file:HOME/secrets/{name}",
                f"dotenv:../common.env#{name}",
                "literal",
            ]
        )
        for name in ("host", "integration_key", "secret_key")
    }
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layout=LAYOUTS)
def test_no_edit_of_any_layout_crashes_the_loader(tmp_path: Path, layout: dict[str, str]) -> None:
    home = tmp_path / "home"
    (home / "project").mkdir(parents=True, exist_ok=True)
    text = HEAD + "".join(f"{name} = {json.dumps(reference)}\n" for name, reference in layout.items())
    mutants = list(mutants_of(project(home / "project", text.replace("HOME", str(home)))))
    assert len({mutant.id for mutant in mutants}) == len(mutants) > 150
    for number, mutant in enumerate(mutants[::7]):
        try:
            load(mutant.copy.write(tmp_path / "copies" / str(number)), registry.names())
        except ConfigError:
            assert mutant.operator.harmful, mutant.id
    assert [path.name for path in home.rglob("*")] == ["project", "integrations.toml"]
    assert all(path.is_dir() for path in (tmp_path / "copies").iterdir())
    assert all(mutant.expected for mutant in mutants if mutant.operator.harmful)


def test_a_value_that_the_sandbox_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotMutable, match=r"the sandbox has no value for duo\.settings\.host"):
        project(tmp_path, HEAD + 'host = "sandbox:nothing"\n')
    with pytest.raises(NotMutable, match=r"duo\.settings\.hots is not a setting of duo"):
        project(tmp_path, HEAD + 'hots = "x"\n')
    with pytest.raises(NotMutable, match=r"the sandbox has no value for duo\.settings\.secret_key$"):
        project(tmp_path, HEAD + 'secret_key = "mine"\n', values={"host": VALUES["host"]})


def test_an_edit_without_effect_is_left_out(tmp_path: Path) -> None:
    """It would count as a green edit."""
    waiver = "[[integrations.duo.waivers]]\ncause = 'config.expiring-soon'\nreason = 'x'\nowner = 'y'\n"
    made = project(tmp_path, f"{HEAD}host = 'literal'\n{waiver}until = {datetime.now(UTC).date()}\n")
    mutants = list(mutants_of(made))
    assert "duo/order" not in {mutant.id for mutant in mutants}
    assert all(mutant.copy != made.original for mutant in mutants)


@pytest.mark.parametrize(
    ("one", "other"),
    [("json:a#x", "json:a#x.y"), ("dotenv:a#x", "file:a"), ("file:a", "toml:a#x"), ("file:a", "dotenv:a/b#x")],
)
def test_references_that_no_files_can_hold_are_named(tmp_path: Path, one: str, other: str) -> None:
    for host, key in ((one, other), (other, one)):
        with pytest.raises(NotMutable, match=r"^the copy cannot hold both .*duo\.settings\.secret_key"):
            project(tmp_path, HEAD + f'host = "{host}"\nsecret_key = "{key}"\n')


def test_a_secret_with_a_colon_in_it_is_not_quoted(tmp_path: Path) -> None:
    """It may look like a reference with a misspelt scheme."""
    for values in (VALUES, {"host": VALUES["host"]}):
        with pytest.raises(NotMutable) as raised:
            project(tmp_path, HEAD + 'secret_key = "tom:Canary"\n', values=values)
        assert "Canary" not in str(raised.value)


def test_no_value_of_the_user_is_in_any_copy(tmp_path: Path) -> None:
    """Also if the file itself contains secrets, and for an integration that is not edited."""
    canary = "CanaryZq7fR2mW9xK4pL8sT1vB6nY3hJ5gD0cQ7w"
    other = HEAD.replace("duo", "other") + f'secret_key = "{canary}"\nhost = "dotenv:a.env#HOST"\n'
    other += f'[integrations.other.control]\nsecret_key = "{canary}"\n'
    other += f'[integrations.other.test_data]\nuser = "{canary}"\n'
    other = other.replace('provider = "other"', 'provider = "duo"')
    history = f'[history]\nurl = "postgresql://mfa:{canary}@db/runs"\n'
    text = HEAD + f'secret_key = "{canary}"\nhost = "env:HOST"\n{other}{history}'
    made = project(tmp_path, text, chosen=("duo",))
    for mutant in mutants_of(made):
        written = {**mutant.copy.files(), **mutant.copy.environ}
        assert canary not in "".join(written.values()), mutant.id
    load(made.original.write(tmp_path / "copy"), registry.names())


def test_a_file_that_is_written_in_two_ways_is_one_file(tmp_path: Path) -> None:
    text = HEAD + 'host = "dotenv:./a.env#HOST"\nsecret_key = "dotenv:a.env#KEY"\n'
    files = project(tmp_path, text).original.files()
    assert files.keys() == {"integrations.toml", "a.env"}
    assert files["a.env"] == f"HOST={VALUES['host']}\nKEY={VALUES['secret_key']}\n"


def test_integrations_that_read_one_source_share_a_sandbox(tmp_path: Path) -> None:
    def table(name: str, *keys: str) -> str:
        start = f'[integrations.{name}]\nprovider = "duo"\nenvironment = "production"\n[integrations.{name}.settings]\n'
        names = ("secret_key", "integration_key")
        return start + "".join(f'{setting} = "env:{key}"\n' for setting, key in zip(names, keys, strict=False))

    def shared(*tables: str) -> Mapping[str, str]:
        (tmp_path / "integrations.toml").write_text("".join(tables))
        return shared_sandboxes(load(tmp_path / "integrations.toml", registry.names()).select())

    assert shared(table("a", "X"), table("b", "Y"), table("c", "X")) == {"a": "a", "b": "b", "c": "a"}
    # The last integration shares sources with both others, so all three share a sandbox.
    assert shared(table("a", "X"), table("b", "Y"), table("c", "X", "Y")) == {"a": "a", "b": "a", "c": "a"}


def test_the_command_knows_every_class() -> None:
    assert list(CLASSES) == [kind.value for kind in Class]


def test_operators_are_named_once_and_described() -> None:
    operators = [operator for operator, _ in OPERATORS]
    assert len({operator.name for operator in operators}) == len(operators)
    assert all(operator.sentence and operator.kind is not Class.HARMLESS for operator in operators)


def test_the_report_tells_survivors_refusals_and_other_names() -> None:
    def result(
        name: str, kind: Class, status: MutantStatus, cause: str | None = None, *, only_warned: bool = False
    ) -> MutantResult:
        operator = EditOperator(name, kind, "an edit")
        where = Location(Path("a.env"), 3)
        mutant = Mutant(f"duo.x/{name}", operator, "duo", "duo.x", where, Copy("", {}), frozenset({"right"}))
        return MutantResult(mutant, status, cause, "words", only_warned=only_warned)

    results = [
        result("one", Class.TYPO, MutantStatus.CAUGHT_LIVE, "right"),
        result("two", Class.TYPO, MutantStatus.CAUGHT_OFFLINE, "wrong", only_warned=True),
        result("three", Class.TYPO, MutantStatus.SURVIVED),
        result("four", Class.HARMLESS, MutantStatus.REFUSED, "wrong"),
        result("five", Class.STRAY, MutantStatus.EQUIVALENT),
    ]
    text = report.console(results, live=True)
    assert "the gate catches 2 of 3 harmful edits (66.7 %)" in text
    assert "caught by a warning alone, which stops no deployment: 1\n" in text
    assert "survived: duo.x/three\n  setting    duo.x\n  location   a.env:3\n" in text
    assert "refused, although harmless: duo.x/four" in text
    assert "another cause than expected\n  duo.x/two: wrong" in text
    document = json.loads(report.as_json(results, live=True, seed=0, seconds=1))
    assert (document["harmful"], document["caught"], document["rightly_named"]) == (3, 2, 1)
    assert document["only_warned"] == 1
