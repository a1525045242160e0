"""Where a result came from."""

import json
import subprocess
import sys
from importlib import metadata

from callbacks.provenance import (
    collect_provenance,
    git_state,
    log_provenance,
    package_versions,
)
from rewards.command import REPOSITORY, command_line


def _git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    return subprocess.run(
        ["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_git_state_knows_the_revision_and_changes(tmp_path):
    assert git_state(tmp_path) is None
    _git(tmp_path, "init")
    assert git_state(tmp_path) is None
    (tmp_path / "a").write_text("1")
    _git(tmp_path, "add", "a")
    _git(tmp_path, "commit", "-m", "first")
    revision = _git(tmp_path, "rev-parse", "HEAD").strip()
    assert git_state(tmp_path) == {"revision": revision, "dirty": False}
    (tmp_path / "untracked").write_text("2")
    assert git_state(tmp_path)["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {"revision": revision, "dirty": True}


def test_a_machine_without_git_is_no_obstacle(tmp_path, monkeypatch):
    _git(tmp_path, "init")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None


def test_the_command_can_be_typed_again_in_another_checkout(tmp_path):
    """A module by its name or a file, files of the checkout by full path, one argument with a space."""
    (tmp_path / "program.py").write_text(
        "from rewards.command import command_line\nimport sys\nsys.stdout.write(command_line())\n"
    )
    arguments = ["-c", str(REPOSITORY / "configs" / "a.yaml"), "name=two words", "-c", "/elsewhere/b.yaml"]
    environment = {"PYTHONPATH": f"{REPOSITORY}:{tmp_path}"}

    def typed(*start):
        done = [sys.executable, *start, *arguments]
        return subprocess.run(done, env=environment, capture_output=True, text=True, check=True).stdout

    shown = "-c configs/a.yaml 'name=two words' -c /elsewhere/b.yaml"
    assert typed("-m", "program") == f"python -m program {shown}"
    assert typed(str(tmp_path / "program.py")) == f"python program.py {shown}"
    assert collect_provenance({})["command"] == command_line()


def test_versions_are_those_installed_and_absent_ones_are_left_out():
    assert package_versions(["torch", "no-such-package-anywhere"]) == {"torch": metadata.version("torch")}


def test_collected_provenance_is_json_and_carries_the_config():
    found = collect_provenance({"a": {"b": [1, 2]}})
    assert json.loads(json.dumps(found)) == found
    assert found["config"] == {"a": {"b": [1, 2]}}
    assert found["packages"]["numpy"] == metadata.version("numpy")


class Book:
    """Remembers what was logged."""

    def __init__(self):
        self.tags, self.files = {}, {}

    def set_tag(self, run_id, key, value):
        self.tags[run_id, key] = value

    def log_dict(self, run_id, dictionary, artifact_file):
        self.files[run_id, artifact_file] = dictionary


def test_logging_writes_the_revision_and_everything():
    book = Book()
    found = {**collect_provenance({}), "git": {"revision": "abc", "dirty": True}}
    log_provenance(book, "run", found)
    assert book.tags == {("run", "mlflow.source.git.commit"): "abc", ("run", "git.dirty"): "true"}
    assert book.files == {("run", "provenance.json"): found}
    outside = Book()
    log_provenance(outside, "run", {**found, "git": None})
    assert outside.tags == {}
