"""A provider's package, as `mfagate new-provider` writes it: it works, and says what is made up in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


def run(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


def install(package: Path, site: Path) -> str:
    """What pip would leave behind for the package: its sources, and its entry points. The PYTHONPATH for it."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(entries)
    return os.pathsep.join([str(package / "src"), str(site)])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A new package, with the PYTHONPATH that makes it an installed one."""
    folder = tmp_path_factory.mktemp("new")
    done = run(folder, "mfagate", "new-provider", "acme-otp", "--title", "Acme OTP")
    assert done.returncode == 0, done.stderr
    return folder / "mfagate-acme-otp", install(folder / "mfagate-acme-otp", folder / "site")


def test_it_works_and_its_tests_say_what_is_made_up(package: tuple[Path, str]) -> None:
    """The commands of its README, one after the other."""
    folder, path = package
    consumer = run(folder, "pytest", "contracts", "--mfagate-update-pacts", PYTHONPATH=path)
    assert consumer.returncode == 0, consumer.stdout
    recorded = run(folder, "mfagate", "record", PYTHONPATH=path)
    assert recorded.returncode == 0, recorded.stdout
    gate = run(folder, "mfagate", "gate", PYTHONPATH=path)
    assert gate.returncode == 0, gate.stdout
    assert "acme-otp" in gate.stdout
    check = run(folder, "mfagate", "check", PYTHONPATH=path)
    assert check.returncode == 0, check.stdout
    tests = run(folder, "pytest", "-p", "no:cacheprovider", PYTHONPATH=path)
    assert tests.returncode == 1
    failed = [line for line in tests.stdout.splitlines() if line.startswith("FAILED ")]
    gaps = [line for line in failed if "test_gaps.py" in line]
    assert len(gaps) > 15
    assert any("errors.py" in line for line in gaps)
    # The suite passes but for the number of interactions: everything that stands there is right.
    assert {line.partition(" - ")[0].rpartition("::")[2] for line in failed if line not in gaps} == {
        "test_accepted",
        "test_contract",
    }
    assert "a contract has at least 12 interactions" in tests.stdout


def test_a_package_that_exists_is_never_touched(package: tuple[Path, str]) -> None:
    folder, _ = package
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = run(folder.parent, "mfagate", "new-provider", "acme-otp")
    assert again.returncode == 2
    assert "exists already; nothing was written" in again.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["Acme", "acme_otp", "9acme", "acme--otp", "-acme", "", "import", "../acme", "duo"])
def test_a_bad_name_writes_nothing(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "mfagate", "new-provider", "--", name)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert list(tmp_path.iterdir()) == []
