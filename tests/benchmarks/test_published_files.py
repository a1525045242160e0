"""The published formats: what is read, what is refused and how that is said, and the tiny world's twins."""

import json

import pytest
import torch
from published_world import CHOICES, COUNTS, SIMPLE, write_multi_human, write_multi_id

from benchmarks.files import read_image
from benchmarks.published import tiny
from benchmarks.published.multi_human import read_metadata
from benchmarks.published.multi_id import read_cases
from benchmarks.suite import SuiteError
from datamodules.plan_files import read_plan
from datamodules.tiny_world.scenes import draw_scene


@pytest.fixture
def metadata(tmp_path):
    write_multi_human(tmp_path)
    return tmp_path / "metadata.json"


def test_metadata_is_read_whole(metadata):
    cases = read_metadata(metadata, simple=SIMPLE)
    assert [case.people for case in cases] == list(COUNTS)
    assert [case.is_complex for case in cases] == [k >= SIMPLE for k in range(len(COUNTS))]
    assert cases[2].images == ("2.png",)
    assert cases[2].key == "2"
    assert [path.name for path in cases[2].references] == ["2_0.png", "2_1.png", "2_2.png"]
    assert all(question.endswith(CHOICES) for question in cases[2].questions)
    assert cases[2].nouns == tuple(json.loads(metadata.read_text())[2]["identifier"])


def test_the_first_1500_are_simple_as_published(metadata):
    assert not any(case.is_complex for case in read_metadata(metadata))
    entries = json.loads(metadata.read_text())
    metadata.write_text(json.dumps([entries[i % len(entries)] for i in range(1502)]))
    kinds = [case.is_complex for case in read_metadata(metadata)]
    assert kinds == [False] * 1500 + [True] * 2


def test_references_may_lie_elsewhere(metadata, tmp_path):
    moved = tmp_path / "elsewhere.json"
    (tmp_path / "deep").mkdir()
    target = tmp_path / "deep" / moved.name
    target.write_text(metadata.read_text())
    with pytest.raises(SuiteError, match=r"faces/0_0.png.*options.root"):
        read_metadata(target)
    assert len(read_metadata(target, tmp_path)) == len(COUNTS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: e.pop("people"), ["entry 1: people: is missing"]),
        (lambda e: e.pop("prompt"), ["entry 1: prompt: is missing"]),
        (lambda e: e.pop("vlm_questions"), ["entry 1: vlm_questions: is missing"]),
        (lambda e: e.update(prompt=7), ["entry 1: prompt: expected a text, got 7"]),
        (lambda e: e.update(prompt="  "), ["entry 1: prompt: expected a text"]),
        (lambda e: e.update(people=[]), ["entry 1: people: is empty"]),
        (lambda e: e.update(people="faces/1_0.png"), ["entry 1: people: expected a list of texts"]),
        (lambda e: e.update(people=["faces/1_0.png", None]), ["entry 1: people: expected a list of texts"]),
        (
            lambda e: e.update(people=["faces/1_0.png", "faces/no.png"]),
            ["entry 1: people[1]: there is no file 'faces/no.png'"],
        ),
        (lambda e: e.update(identifier=["red"]), ["entry 1: identifier: 1 nouns for 2 people"]),
        (lambda e: e.update(identifier=[1, 2]), ["entry 1: identifier: expected a list of texts"]),
        (lambda e: e.update(attributes=[[1, 2, 3]]), ["entry 1: attributes: 1 rows for 2 people"]),
        (lambda e: e.update(attributes=[[1, 2], [3, 4]]), ["entry 1: attributes: expected 3 whole numbers"]),
        (lambda e: e.update(vlm_questions="Is it?"), ["entry 1: vlm_questions: expected a list of texts"]),
        (lambda e: e.update(pose_image=3), ["entry 1: pose_image: expected a path, got 3"]),
        (
            lambda e: (e.pop("prompt"), e.update(people=[])),
            ["entry 1: prompt: is missing", "entry 1: people: is empty"],
        ),
    ],
)
def test_metadata_errors_name_file_entry_and_key(metadata, change, words):
    entries = json.loads(metadata.read_text())
    change(entries[1])
    metadata.write_text(json.dumps(entries))
    with pytest.raises(SuiteError) as caught:
        read_metadata(metadata)
    for expected in [*words, str(metadata)]:
        assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "expected a JSON list"),
        ("[]", "expected a JSON list"),
        ("[1]", "entry 0: entry: expected an object"),
        ("[{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_files_that_are_no_metadata(metadata, content, words):
    metadata.write_text(content)
    with pytest.raises(SuiteError, match=words):
        read_metadata(metadata)


def test_many_problems_are_counted(metadata):
    metadata.write_text(json.dumps([{}] * 3))
    with pytest.raises(SuiteError, match="and 7 more problems"):
        read_metadata(metadata)
    with pytest.raises(SuiteError, match="no file"):
        read_metadata(metadata.with_name("other.json"))


def test_cases_are_read_in_natural_order(tmp_path):
    write_multi_id(tmp_path, (1,) * 11)
    (tmp_path / "cases" / "notes").mkdir()
    (tmp_path / "cases" / "notes" / "readme.txt").write_text("no case")
    cases = read_cases(tmp_path / "cases")
    assert [case.key for case in cases] == [f"case_{k}" for k in range(11)]
    assert cases[3].images[0] == "case_3/out.jpg"
    assert cases[3].truth.name == "ori.jpg"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: (c / "meta.json").unlink(), "case_2: meta.json: there is no such file"),
        (lambda c: (c / "meta.json").write_text("{"), "case_2: meta.json"),
        (lambda c: (c / "meta.json").write_text("[]"), "case_2: meta.json: expected an object"),
        (lambda c: (c / "meta.json").write_text("{}"), "case_2: meta.json: prompt: is missing"),
        (lambda c: (c / "meta.json").write_text('{"prompt": 3}'), "meta.json: prompt: expected a text"),
        (lambda c: (c / "ori.jpg").unlink(), "case_2: ori.jpg: there is no such file"),
        (lambda c: (c / "ref_2.jpg").unlink(), "case_2: ref_2.jpg: there is no such file, but a ref_3"),
        (lambda c: [p.unlink() for p in c.glob("ref_*")], "case_2: ref_1.jpg: there is no reference"),
    ],
)
def test_case_errors_name_folder_case_and_file(tmp_path, change, words):
    write_multi_id(tmp_path)
    change(tmp_path / "cases" / "case_2")
    with pytest.raises(SuiteError) as caught:
        read_cases(tmp_path / "cases")
    assert words in str(caught.value)
    assert str(tmp_path / "cases") in str(caught.value)


def test_folders_without_cases(tmp_path):
    with pytest.raises(SuiteError, match="no case in it"):
        read_cases(tmp_path)
    with pytest.raises(SuiteError, match="not a folder"):
        read_cases(tmp_path / "none")


def test_the_multi_human_twin_is_metadata_of_test_scenes(tmp_path):
    built = tiny.write_multi_human(tmp_path, size=4, simple=2, counts=[1, 3])
    cases = read_metadata(built.data, simple=built.simple)
    assert [case.people for case in cases] == [1, 3, 3, 3]
    assert [case.is_complex for case in cases] == [False, False, True, True]
    scene = draw_scene(1, "test", count=3, action=tiny.SIMPLE_ACTIONS[1])
    assert cases[1].prompt == scene.prompt
    read = read_image(built.renders / "1.png", 10**6)[0]
    assert torch.equal(read, scene.image)
    view = read_image(cases[1].references[2], 10**6)[0]
    assert torch.equal(view, scene.persons[2].reference)
    layout = read_plan(tmp_path / tiny.PLANS / "1.json")
    assert torch.allclose(layout.boxes[0], torch.stack([p.box for p in scene.persons]), atol=1e-5)
    assert len(cases[1].questions) == len({person.description for person in scene.persons})
    assert len(cases[2].questions) > 1
    assert all(question.endswith(CHOICES) for case in cases for question in case.questions)
    assert all((tmp_path / e["pose_image"]).is_file() for e in json.loads(built.data.read_text()))


def test_a_twin_is_kept_until_it_should_be_another(tmp_path):
    built = tiny.write_multi_id(tmp_path, size=2, counts=[2])
    cases = read_cases(built.data)
    assert [case.people for case in cases] == [2, 2]
    assert all((built.renders / case.images[0]).is_file() for case in cases)
    stamp = cases[0].truth.stat().st_mtime_ns
    tiny.write_multi_id(tmp_path, size=2, counts=[2])
    assert cases[0].truth.stat().st_mtime_ns == stamp
    tiny.write_multi_id(tmp_path, size=2, counts=[1])
    assert cases[0].truth.stat().st_mtime_ns != stamp


@pytest.mark.parametrize(
    "options", [{"size": 0}, {"size": 2, "simple": 3}, {"counts": []}, {"counts": [1], "simple": 1}]
)
def test_impossible_twins_are_refused(tmp_path, options):
    with pytest.raises(SuiteError, match=r"options\.build"):
        tiny.write_multi_human(tmp_path, **options)
