import os

import pytest

from micrograd.files import atomic_write


def test_text_and_bytes_are_written(tmp_path):
    assert atomic_write(tmp_path / "a", "σ\n").read_bytes() == "σ\n".encode()
    assert atomic_write(str(tmp_path / "b"), b"\0").read_bytes() == b"\0"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    atomic_write(tmp_path / "a", "old")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        atomic_write(tmp_path / "a", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_permissions_are_those_of_the_old_file_or_of_a_new_one(tmp_path):
    (tmp_path / "plain").touch()
    assert atomic_write(tmp_path / "new", "").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "plain").chmod(0o600)
    assert atomic_write(tmp_path / "plain", "").stat().st_mode & 0o777 == 0o600


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "none" / "a", "")
