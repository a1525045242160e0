"""Suite files, overrides, and errors that name the nearest valid key."""

from pathlib import Path

import pytest

from benchmarks.suite import SuiteError
from benchmarks.suite_file import SUITE_FOLDER, available_suites, load_suite

BLOBS = str(Path(__file__).with_name("blobs.yaml"))


def test_every_packaged_suite_loads():
    names = available_suites()
    assert {"tiny", "score"} <= set(names) == {p.stem for p in SUITE_FOLDER.rglob("*.yaml")}
    for name, description in names.items():
        suite, config = load_suite(name)
        assert suite.name == name == config["name"]
        assert description


def test_shorthand_and_defaults():
    suite, _ = load_suite(BLOBS)
    assert suite.analyzer.class_path == "blob_world.BlobAnalyzer"
    assert suite.methods["renders"].generator.class_path == "benchmarks.ceilings.Renders"
    assert suite.methods["washed"].grid == {"strength": [0.2, 0.9]}
    assert suite.scenes.split == "test"


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("scenes.size=3", lambda s: s.scenes.size == 3),
        ("scenes.counts=[2,5]", lambda s: s.scenes.counts == [2, 5]),
        ("methods.washed.grid.strength=[0.5]", lambda s: s.methods["washed"].grid == {"strength": [0.5]}),
        (
            "methods.washed.generator.init_args.pause_s=2",
            lambda s: s.methods["washed"].generator.init_args == {"pause_s": 2},
        ),
        ("methods.renders=null", lambda s: s.methods["renders"] is None),
        ("methods.renders.seeds.0=9", lambda s: s.methods["renders"].seeds == [9]),
        ("methods.new={generator: a.B}", lambda s: s.methods["new"].generator.class_path == "a.B"),
        (
            "analyzer=my.Analyzer",
            lambda s: s.analyzer.class_path == "my.Analyzer" and s.analyzer.init_args == {},
        ),
        ("analyzer.init_args.min_pixels=9", lambda s: s.analyzer.init_args == {"min_pixels": 9}),
        ("scorers.judge=null", lambda s: s.scorers["judge"] is None),
        ("scorers.extra=my.Scorer", lambda s: s.scorers["extra"].class_path == "my.Scorer"),
        ("options.anything=1", lambda s: s.options == {"anything": 1}),
        ("images.folder='a: b, c'", lambda s: s.images.folder == "a: b, c"),
    ],
)
def test_overrides(override, read):
    suite, _ = load_suite(BLOBS, [override])
    assert read(suite)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("scenes.sise=3", r"'scenes\.sise'; did you mean 'size'"),
        ("scene.size=3", r"'scene'; did you mean 'scenes'"),
        ("methods.wahsed.grid.strength=[1]", r"'methods\.wahsed'; did you mean 'washed'"),
        ("methods.washed.gird.strength=[1]", r"did you mean 'grid'"),
        ("methods.washed.grid.strenght=[1]", r"did you mean 'strength'"),
        ("analyzer.class_pth=x.Y", r"did you mean 'class_path'"),
        ("scenes.size=many", r"scenes\.size.*many"),
        ("scenes.size=0", r"scenes\.size must be at least 1"),
        ("limit=0", r"limit must be at least 1"),
        ("seeds=[]", r"seeds"),
        ("kind=generat", r"did you mean 'generate'"),
        ("scenes", r"write key\.path=value"),
        ("methods.renders.seeds.4=1", r"a list of 1"),
    ],
)
def test_bad_overrides_are_named(override, words):
    with pytest.raises(SuiteError, match=words):
        load_suite(BLOBS, [override])


def test_unknown_suite_names_the_nearest():
    with pytest.raises(SuiteError, match=r"unknown suite 'tyni'; did you mean 'tiny'"):
        load_suite("tyni")
    with pytest.raises(SuiteError, match="does not exist"):
        load_suite("nowhere/at_all.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scenes: {sise: 3}", r"scenes\.sise.*did you mean 'size'"),
        ("methods: {a: {generatr: x.Y}}", r"did you mean 'generator'"),
        ("methods: {a: {grid: {}}}", r"class_path"),
        ("kind: generate", "at least one entry under 'methods'"),
        ("- a\n- b", "mapping"),
        ("a: [", "not a readable YAML"),
    ],
)
def test_bad_files_are_named(tmp_path, text, words):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SuiteError, match=words):
        load_suite(str(path))
