"""The runner on a miniature V-COCO: names, figures, resuming, what cannot be scored."""

import json
from dataclasses import replace

import pytest
import torch
from small_vcoco import write_vcoco
from torchvision.utils import save_image

from datamodules.coco_samples import CocoFolder, SampleChoice
from datamodules.human_in_place_files import HumanInPlaceFiles
from datamodules.schema.interfaces import Scorer
from rewards.evaluation.features import TinyFeatures
from rewards.evaluation.human_in_place import COLUMNS, InPlaceJudges, paper_value, scorer_name
from rewards.evaluation.person_region import PersonSegmenter
from rewards.evaluation.vcoco import main, score_folder
from rewards.functional.frechet import feature_distance


class Counting(Scorer):
    calls = 0

    def score(self, images, prompts):
        Counting.calls += 1
        return images.mean((1, 2, 3))


@pytest.fixture(scope="module")
def vcoco(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vcoco")
    write_vcoco(folder)
    return folder


@pytest.fixture(scope="module")
def samples(vcoco):
    files = CocoFolder(
        (str(vcoco / "train2014"), str(vcoco / "val2014")),
        tuple(str(p) for p in sorted((vcoco / "annotations").glob("person_keypoints*"))),
        tuple(str(p) for p in sorted((vcoco / "annotations").glob("captions*"))),
        str(vcoco / "backgrounds"),
    )
    return HumanInPlaceFiles(files, SampleChoice(size=128), ids=[1, 2, 3, 4, 5, 7])


@pytest.fixture
def generated(samples, tmp_path):
    """The truth itself for 1 and 3, the empty scene for 2, another size for 4, no square for 5."""
    folder = tmp_path / "generated"
    folder.mkdir()
    by_id = {samples.image_id(i): samples[i] for i in range(len(samples))}
    save_image(by_id[1].target[0], folder / "1.png")
    save_image(by_id[3].target[0], folder / "COCO_train2014_000000000003.png")
    save_image(by_id[2].source[0], folder / "000000000002.png")
    large = torch.nn.functional.interpolate(by_id[4].target, scale_factor=2, mode="nearest")
    save_image(large[0], folder / "4.png")
    save_image(by_id[5].target[0, :, :64], folder / "5.png")
    return folder


class Marked(PersonSegmenter):
    """Nobody anywhere."""

    def masks(self, images):
        return torch.zeros(len(images), *images.shape[-2:], dtype=torch.bool)


@pytest.fixture
def judges():
    return InPlaceJudges(text=Counting(), preference=Counting())


def test_the_row_is_made_of_named_figures(samples, generated, judges, tmp_path):
    row = score_folder(generated, samples, judges, tmp_path / "out")
    assert row["images"] == 4
    assert row["test_cases"] == 5
    assert row["unscored"] == {"5": "128 x 64 pixels; a square of 128 was asked for"}
    assert row["left_out"] == {"no person is annotated": 1}
    assert list(row["row"]) == list(COLUMNS)
    figures = {column: cell["figure"] for column, cell in row["row"].items()}
    assert figures["FID"] == "frechet_tiny"
    assert figures["CS"] == "Counting"
    assert figures["LPIPS"] == "background_perceptual_tiny"
    assert figures["HPS"] == "person_Counting"
    assert not any(cell["paper"] for cell in row["row"].values())
    real = InPlaceJudges(people=Marked()).names()
    assert {c: paper_value(c, figure) for c, figure in real.items() if paper_value(c, figure)} == {
        "PSNR": 25.61,
        "SSIM": 0.885,
    }
    assert row == json.loads((tmp_path / "out" / "row.json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "out" / "images.jsonl").read_text().splitlines()]
    by_id = {line["image_id"]: line["figures"] for line in lines}
    assert by_id[1]["background_psnr_tiny"] > 40, "outside people the truth is the scene"
    assert by_id[2]["person_Counting"] is None, "nobody is in the empty scene"
    assert row["row"]["HPS"]["n"] == 3
    psnr = [figures["background_psnr_tiny"] for figures in by_id.values()]
    assert row["row"]["PSNR"]["value"] == pytest.approx(sum(psnr) / 4)
    assert row["row"]["PSNR"]["low"] <= row["row"]["PSNR"]["value"] <= row["row"]["PSNR"]["high"]


def test_set_distances_are_of_whole_images(samples, generated, judges, tmp_path):
    row = score_folder(generated, samples, judges, tmp_path / "out")["row"]
    from rewards.evaluation.vcoco import _fitted, generated_file

    extract, pairs = TinyFeatures(), []
    for i in range(len(samples)):
        path = generated_file(generated, samples, i)
        if samples.image_id(i) != 5:
            pairs.append((extract.features(_fitted(path, 128)), extract.features(samples[i].target)))
    ours, real = (torch.cat(part) for part in zip(*pairs, strict=True))
    assert row["FID"]["value"] == pytest.approx(float(feature_distance(ours, real)), rel=1e-6)
    assert row["FID"]["low"] is None


def test_a_second_run_scores_only_what_changed(samples, generated, judges, tmp_path):
    out = tmp_path / "out"
    first = score_folder(generated, samples, judges, out)
    # a line cut short by a crash
    text = (out / "images.jsonl").read_text()
    (out / "images.jsonl").write_text(text[: len(text) - 30])
    Counting.calls = 0
    second = score_folder(generated, samples, judges, out)
    assert Counting.calls == 2, "one image again: its prompt and its people"
    assert second == first
    save_image(torch.rand(3, 128, 128), generated / "1.png")
    third = score_folder(generated, samples, judges, out)
    assert third["row"]["PSNR"]["value"] < first["row"]["PSNR"]["value"]
    assert len((out / "images.jsonl").read_text().splitlines()) == 4
    Counting.calls = 0
    score_folder(generated, samples, judges, out, asked="another file of weights")
    assert Counting.calls == 7, "lines of other judges are not taken up"


def test_the_command_line(vcoco, generated, tmp_path, capsys):
    arguments = [
        *("--images", str(generated), "--out", str(tmp_path / "out"), "--limit", "2"),
        *("--files.images", json.dumps([str(vcoco / "train2014"), str(vcoco / "val2014")])),
        *(
            "--files.annotations",
            json.dumps([str(p) for p in (vcoco / "annotations").glob("person_keypoints*")]),
        ),
        *("--files.prompts", json.dumps([str(p) for p in (vcoco / "annotations").glob("captions*")])),
        *(
            "--files.backgrounds",
            str(vcoco / "backgrounds"),
            "--ids",
            str(vcoco / "splits" / "vcoco_test.ids"),
        ),
        *("--choice.size", "128"),
        *("--judges.text", '{"class_path": "rewards.scorers.tiny.TinyQualityScorer"}'),
    ]
    assert main(arguments) == 0
    assert "2 of 2 test cases" in " ".join(capsys.readouterr().out.split())
    row = json.loads((tmp_path / "out" / "row.json").read_text())
    assert row["test_cases"] == 2
    assert row["row"]["CS"]["figure"] == "quality_scorer_tiny"
    assert row["left_out"]["has a crowd region"] == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    arguments[1] = str(empty)
    with pytest.raises(SystemExit):
        main(arguments)
    assert "none of 2 test cases has an image" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--limit", "-1"], "--limit: -1 test cases"),
        (["--choice.size", "100"], "size: 100 must be a multiple of 16"),
        (["--judges.features.class_path", "rewards.evaluation.features.InceptionFeatures"], "weights"),
        (["--out", "OCCUPIED"], "OCCUPIED"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    vcoco, generated, tmp_path, capsys, more, message, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "OCCUPIED").write_text("a file")
    annotations = vcoco / "annotations"
    arguments = [
        *("--images", str(generated), "--files.backgrounds", str(vcoco / "backgrounds")),
        *("--files.images", json.dumps([str(vcoco / "train2014"), str(vcoco / "val2014")])),
        *("--files.annotations", json.dumps([str(p) for p in annotations.glob("person_keypoints*")])),
        *("--files.prompts", json.dumps([str(p) for p in annotations.glob("captions*")])),
        *more,
    ]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_papers_values_stand_only_beside_the_papers_judges():
    assert paper_value("FID", "frechet_inception") == 15.48
    assert paper_value("FID", "frechet_inception_0011aabb") is None
    assert paper_value("CS", "clip_score_clip-vit-large-patch14") == 25.34
    assert paper_value("CS", "image_text_tiny") is None
    assert paper_value("LPIPS", "background_lpips_alex") == 0.075
    assert paper_value("HPS", "person_quality_judge_tiny") is None


def test_judges_are_checked(samples, judges):
    batch = samples[0]
    with pytest.raises(ValueError, match=r"images: shape \(1, 3, 64, 64\)"):
        judges.figures(batch.target[..., :64, :64], batch)
    figures = judges.figures(batch.target, replace(batch, people_mask=torch.ones_like(batch.people_mask)))
    assert bool(figures["background_psnr_tiny"].isnan().all())
    assert scorer_name(Counting()) == "Counting"
