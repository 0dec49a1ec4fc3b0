"""The key of fingerprints: made once, for one user, complete or not at all; and a fingerprint is no oracle."""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.secrets.fingerprint import DIGITS, OF_THIS_PROCESS, Key, fingerprint, key_in_use, using
from mfagate.secrets.fingerprint_key import FILE_NAME, SHORTEST, KeyProblem, from_environment, read, read_or_make

KEY = Key("0123456789abcdef" * 4, kept=True)
OTHER = Key("fedcba9876543210" * 4, kept=True)


@given(st.text(), st.text())
def test_equal_values_and_only_they_have_equal_fingerprints(one: str, other: str) -> None:
    assert (KEY.fingerprint(one) == KEY.fingerprint(other)) is (one == other)
    assert KEY.fingerprint(one) != OTHER.fingerprint(one)


@given(st.text(max_size=4))
def test_without_the_key_a_short_secret_cannot_be_found_by_trying(secret: str) -> None:
    """No plain digest of it begins so, and a fingerprint has the same length whatever the secret is."""
    shown = KEY.fingerprint(secret)
    data = secret.encode("utf-8", "surrogatepass")
    plain = {hashlib.new(name, data).hexdigest()[:DIGITS] for name in ("sha256", "sha1", "md5", "sha512")}
    assert shown not in plain | {hmac.new(b"", data, hashlib.sha256).hexdigest()[:DIGITS]}
    assert len(shown) == DIGITS


def test_the_identifier_is_no_part_of_the_key_and_no_fingerprint_of_a_value() -> None:
    assert KEY.identifier is not None
    assert KEY.identifier not in KEY.text
    assert KEY.identifier not in {KEY.fingerprint(KEY.text), KEY.fingerprint("")}
    assert KEY.text not in repr(KEY)
    assert Key("x" * 64).identifier is None


def test_a_key_is_in_use_until_the_context_ends() -> None:
    assert key_in_use() is OF_THIS_PROCESS
    with using(KEY):
        assert fingerprint("a") == KEY.fingerprint("a")
    assert fingerprint("a") == OF_THIS_PROCESS.fingerprint("a") != KEY.fingerprint("a")


def test_without_a_key_fingerprints_of_two_processes_differ() -> None:
    code = "from mfagate.secrets.fingerprint import fingerprint; print(fingerprint('a'))"
    printed = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(printed) == 2


def test_the_file_is_this_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key, made = read_or_make(tmp_path / FILE_NAME)
    finally:
        os.umask(before)
    assert made
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert read_or_make(tmp_path / FILE_NAME) == (key, False)
    assert read(tmp_path / FILE_NAME) == key
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


MAKE = """
import sys
from pathlib import Path
from mfagate.secrets.fingerprint_key import read_or_make
sys.stdin.readline()
print(read_or_make(Path(sys.argv[1]))[0].text)
"""


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path / FILE_NAME)]
    many = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for one in many:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert len({one.communicate(timeout=60)[0] for one in many}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refused)
    key, made = read_or_make(tmp_path / FILE_NAME)
    assert made
    assert (read_or_make(tmp_path / FILE_NAME), (tmp_path / FILE_NAME).stat().st_mode & 0o777) == ((key, False), 0o600)


def test_a_run_that_loses_the_race_takes_the_key_of_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / FILE_NAME

    def beaten(self: Path, target: Path) -> None:
        path.write_text(KEY.text + "\n")
        path.chmod(0o600)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    monkeypatch.setattr(Path, "hardlink_to", beaten)
    assert read_or_make(path) == (KEY, False)


@pytest.mark.parametrize("folder", ["/proc/self", "/nowhere/at/all"])
def test_a_folder_that_cannot_be_written(folder: str) -> None:
    path = Path(folder, FILE_NAME)
    with pytest.raises(KeyProblem) as raised:
        read_or_make(path)
    assert f"the fingerprint key {path} cannot be written: " in str(raised.value)
    assert "set MFAGATE_FINGERPRINT_KEY" in str(raised.value)


def test_a_file_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_or_make(tmp_path / FILE_NAME)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(KeyProblem, match="belongs to another user"):
        read(tmp_path / FILE_NAME)


@pytest.mark.parametrize("text", ["", "0", "0" * 64, KEY.text[:-1], KEY.text + "0", KEY.text.upper(), "zz" * 32])
def test_a_file_without_a_key_is_reported_without_its_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE_NAME
    path.touch(0o600)
    path.write_text(text)
    if text == "0" * 64:
        assert read(path) == Key(text, kept=True)
        return
    with pytest.raises(KeyProblem) as raised:
        read(path)
    assert "contains no fingerprint key" in str(raised.value)
    assert len(text) < 2 or text not in str(raised.value)


@given(
    st.text(st.characters(exclude_categories=("Cs", "Z", "Cc")), max_size=40), st.sampled_from(["", "\n", " ", "\r\n"])
)
def test_the_variable_is_a_key_or_a_message_that_quotes_nothing(text: str, around: str) -> None:
    environ = {"MFAGATE_FINGERPRINT_KEY": around + text + around}
    try:
        key = from_environment(environ)
    except KeyProblem as error:
        assert len(text) < SHORTEST or len(set(text)) < 5
        assert len(text) < SHORTEST or text not in str(error)
    else:
        assert key == (Key(text.strip(), kept=True) if text.strip() else None)


def test_what_the_file_holds_is_the_same_key_in_the_variable(tmp_path: Path) -> None:
    key, _ = read_or_make(tmp_path / FILE_NAME)
    assert from_environment({"MFAGATE_FINGERPRINT_KEY": (tmp_path / FILE_NAME).read_text()}) == key
