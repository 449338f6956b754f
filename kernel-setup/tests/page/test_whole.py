"""Files are written whole or not at all, and in one way."""

import os

import pytest
from conftest import ROOT
from whole import write_whole


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_its_text_and_the_users_mode(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_whole({tmp_path / "new" / "a": "ä\n", str(tmp_path / "b"): ""})
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "a").read_bytes() == b"\xc3\xa4\n"
    assert (tmp_path / "b").read_bytes() == b""
    for file in (tmp_path / "new" / "a", tmp_path / "b"):
        assert file.stat().st_mode & 0o777 == mode
    assert sorted(os.listdir(tmp_path)) == ["b", "new"]


def test_a_path_without_a_folder_is_the_present_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole({"a": "1"})
    assert os.listdir() == ["a"]


def test_no_name_is_given_before_all_is_on_the_disk(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *of, name=name, real=real: calls.append(name) or real(*of))
    write_whole({tmp_path / "a": "1", tmp_path / "b": "2"})
    assert calls == ["fsync", "fsync", "replace", "replace", "fsync"], "the last is the folder's"


@pytest.mark.parametrize("call", ["makedirs", "fsync", "chmod", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_files_and_nothing_else(tmp_path, monkeypatch, call, error):
    for name in ("a", "b"):
        (tmp_path / name).write_text("old")

    def fail(*of, **how):
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(type(error)):
        write_whole({tmp_path / "a": "new", tmp_path / "b": "new"})
    monkeypatch.undo()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert all((tmp_path / name).read_text() == "old" for name in ("a", "b"))


def test_a_file_system_that_syncs_no_folders_is_borne(tmp_path, monkeypatch):
    def refuse(*of):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr("whole._sync", refuse)
    write_whole({tmp_path / "a": "1"})
    assert os.listdir(tmp_path) == ["a"]


def test_there_is_one_way():
    programs = (ROOT / "kernel-setup/python").rglob("*.py")
    ways = [file.name for file in programs if "os.replace(" in file.read_text(encoding="utf-8")]
    assert ways == ["whole.py"]
