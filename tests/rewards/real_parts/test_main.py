"""The command ``python -m rewards.real_parts``."""

import subprocess
import sys
from pathlib import Path

import pytest

from rewards.real_parts.__main__ import main
from rewards.real_parts.catalogue import PARTS, SOURCES
from rewards.real_parts.fetch import part_path


def test_the_list_shows_versions_digests_licences_and_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = part_path(PARTS["pose"], tmp_path)
    folder.mkdir(parents=True)
    (folder / "movenet_rtmo.onnx").touch()
    assert main(["--list", "--home", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    for source in SOURCES.values():
        assert f"{source.name} {source.version}" in shown
        assert source.sha256 in shown
        assert source.licence in shown
    assert f"[in {folder}]" in shown
    assert shown.count("[not fetched]") == len(PARTS) - 1


def test_listing_answers_without_torch(tmp_path: Path) -> None:
    lines = (
        "import sys",
        "from rewards.real_parts.__main__ import main",
        "main(['--list'])",
        "assert 'torch' not in sys.modules",
    )
    code = "\n".join(lines)
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "faces,hands"])
    assert stopped.value.code == 2
    assert "there is no part 'hands'" in capsys.readouterr().err


def test_offline_the_command_fails_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    assert main(["--only", "persons", "--home", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "Is this machine online? What is finished is kept" in shown
    assert "Traceback" not in shown
