"""Files are replaced whole or not at all."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mfagate.core.files import Unreadable, read_text, require_regular, write_atomically


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, "one\n")
    write_atomically(path, "two\n")
    assert path.read_text() == "two\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_content_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_mode_and_link_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_what_is_no_file_is_written_to() -> None:
    code = (
        "from pathlib import Path; from mfagate.core.files import write_atomically as w; w(Path('/dev/stdout'), 'text')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("text", 0)
    write_atomically(Path("/dev/null"), "text")
    assert not Path("/dev/null").is_file()


def test_standard_output_in_a_file_keeps_what_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    code = (
        "from pathlib import Path; from mfagate.core.files import write_atomically as w; w(Path('/dev/stdout'), 'text')"
    )
    with path.open("a") as log:
        subprocess.run([sys.executable, "-c", code], stdout=log, check=True)
    assert path.read_text() == "before\ntext"


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(pipe.read_text)
        write_atomically(pipe, "text")
        assert reading.result(10) == "text"
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["missing/a", ".", "x" * 300])
def test_a_place_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match="tmp"):
        write_atomically(tmp_path / name, "text")
    assert list(tmp_path.iterdir()) == []


def test_text_that_cannot_be_encoded_leaves_the_old(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_new_file_has_the_usual_mode_and_the_umask_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, set_umask = os.umask(0o027), os.umask

    def slowly(mask: int) -> int:
        time.sleep(0.001)
        return set_umask(mask)

    monkeypatch.setattr(os, "umask", slowly)
    try:
        paths = [tmp_path / str(number) for number in range(20)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write_atomically, paths, map(str, paths)))
        assert {path.stat().st_mode & 0o777 for path in paths} == {0o640}
    finally:
        assert os.umask(before) == 0o027


@pytest.fixture(params=["pipe", "socket", "device", "folder"])
def strange(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """What is at a path and is no regular file, and how it is called."""
    path = tmp_path / "strange"
    if request.param == "pipe":
        os.mkfifo(path)
        yield path, "a named pipe"
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            yield path, "a socket"
    elif request.param == "device":
        path.symlink_to("/dev/zero")
        yield path, "a device"
    else:
        path.mkdir()
        yield path, "Is a directory"


def test_what_is_no_regular_file_is_refused_at_once(strange: tuple[Path, str]) -> None:
    path, kind = strange
    with pytest.raises(Unreadable, match=kind):
        read_text(path, 100)
    with pytest.raises(OSError, match=kind):
        require_regular(path)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    """As Kubernetes mounts its secrets."""
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    assert read_text(tmp_path / "link", 100) == "text"


def test_a_pipe_that_nobody_reads_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfagate.core.files._READER_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no process reads this pipe"):
        write_atomically(tmp_path / "pipe", "text")


def test_a_pipe_whose_reader_does_not_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfagate.core.files._STALLED_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OSError, match="has stopped reading"):
            write_atomically(tmp_path / "pipe", "x" * (1 << 20))
    finally:
        os.close(reader)


def test_a_text_that_is_longer_than_a_pipe_holds(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    text = "a text é " * (1 << 16)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit((tmp_path / "pipe").read_text, "utf-8")
        write_atomically(tmp_path / "pipe", text)
        assert reading.result(30) == text
