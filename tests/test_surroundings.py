"""A report does not depend on the locale, the order of folders and sets, or the number of processors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from .support.project import REPOSITORY, link_shipped

ELSEWHERE = """
import os, runpy, sys

backwards, processors = sys.argv.pop(1) == "backwards", int(sys.argv.pop(1))
os.cpu_count = lambda: processors
os.sched_getaffinity = lambda process: set(range(processors))
listdir, scandir = os.listdir, os.scandir

class Scanned(list):
    def __enter__(self):
        return self
    def __exit__(self, *raised):
        pass
    def close(self):
        pass
    def __iter__(self):
        return (self.pop(0) for _ in range(len(self)))
    def __next__(self):
        if not self:
            raise StopIteration
        return self.pop(0)

def in_order(entries, key):
    return sorted(entries, key=key, reverse=backwards)

os.listdir = lambda *where: in_order(listdir(*where), os.fsencode)
os.scandir = lambda *where: Scanned(in_order(scandir(*where), lambda entry: os.fsencode(entry.name)))
runpy.run_module("mfagate", run_name="__main__", alter_sys=True)
"""
"""Runs a command as on a machine with another order of folders and another number of processors."""

OUTPUTS = {"json": "report.json", "markdown": "report.md", "html": "report.html", "sarif": "report.sarif"}

VOLATILE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*|\b\d+\.\d+(?:e-\d+)? m?s\b"
)
"""Ids, times and durations, which differ from run to run."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped project in a folder whose name is not ASCII, with a CA bundle that is missing."""
    folder = tmp_path / "pr\u00fcfung"
    folder.mkdir()
    link_shipped(folder)
    text = (REPOSITORY / "integrations.toml").read_text(encoding="utf-8")
    first, begin, rest = text.partition("[integrations.duo]\n")
    (folder / "integrations.toml").write_text(
        f'{first}{begin}ca_bundle = "schl\u00fcssel.pem"\n{rest}', encoding="utf-8"
    )
    return folder


def run(
    folder: Path, variables: Mapping[str, str], arguments: Iterable[str], order: str = "forwards", processors: int = 2
) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE, order, str(processors), *arguments],
        cwd=folder,
        env={**plain, "MFAGATE_FINGERPRINT_KEY": "0123456789abcdef" * 2, **variables},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def reports(folder: Path, variables: Mapping[str, str], order: str, processors: int) -> dict[str, str]:
    """Run ``check`` and return its reports, without the parts that differ from run to run."""
    outputs = [part for form, name in OUTPUTS.items() for part in ("--output", f"{form}={name}")]
    done = run(folder, variables, ["check", *outputs], order, processors)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1, done.stdout + done.stderr
    written = {name: (folder / name).read_text(encoding="utf-8") for name in OUTPUTS.values()}
    document = json.loads(written["report.json"])
    for check in (check for one in document["integrations"] for check in one["checks"]):
        del check["seconds"]
    return {name: VOLATILE.sub("", text) for name, text in {**written, "report.json": json.dumps(document)}.items()}


SURROUNDINGS = [
    ({"LC_ALL": "C"}, "backwards", 1),
    ({"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "1"}, "backwards", 64),
    ({"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", "PYTHONHASHSEED": "2"}, "forwards", 1),
    ({"LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "3"}, "forwards", 64),
]
"""If a locale is not installed, the C library uses C."""


def test_a_report_does_not_depend_on_its_surroundings(folder: Path) -> None:
    usual = reports(folder, {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}, "forwards", 2)
    assert "schl\u00fcssel.pem" in usual["report.md"]
    for variables, order, processors in SURROUNDINGS:
        assert reports(folder, variables, order, processors) == usual, (variables, order, processors)


def test_a_name_that_the_locale_cannot_write_is_a_finding(folder: Path) -> None:
    """Python uses ASCII for file names if it may not replace the C locale."""
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run(folder, ascii_alone, ["check", "--integration", "duo"])
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1
    assert "its name cannot be written in ascii" in " ".join(done.stdout.split())


def test_a_scaffold_does_not_depend_on_the_order_of_folders(tmp_path: Path) -> None:
    written = []
    for order in ("forwards", "backwards"):
        folder = tmp_path / order
        folder.mkdir()
        done = run(folder, {"LC_ALL": "C"}, ["init", "--provider", "duo", "--provider", "okta"], order)
        assert done.returncode == 0, done.stdout + done.stderr
        written.append((done.stdout, {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}))
    assert written[0] == written[1]
