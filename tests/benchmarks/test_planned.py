"""An Artist behind an Architect: people stand where plans put them, and wrong plans are seen in the figures."""

import pytest
import torch

from benchmarks.generation import check_generator
from benchmarks.planned import DraftingArchitect, LanguageArchitect, PlannedArtist, rearranged
from benchmarks.suite import SuiteError
from benchmarks.suite_file import load_suite
from benchmarks.sweep import configurations
from benchmarks.trained import ConfiguredArtist, TrainedArtist
from datamodules.collate import collate
from datamodules.plan_files import row_of_faces
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.layout_decoding import Answer
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.functional.faces import match_by_place

ARTIST = {
    "class_path": "benchmarks.trained.ConfiguredArtist",
    "init_args": {
        "common": [
            "model.init_args.backbone.init_args.source=flux_tiny",  # which puts faces where canvases say
            "model.init_args.sampling.eval_steps=4",
            "model.init_args.sampling.free_guidance=2.0",
        ]
    },
}


@pytest.fixture(scope="module")
def batch():
    return collate([draw_scene(seed, "test", count=2) for seed in range(3)])


class Rows:
    """Plans a row of as many people as it is told; refuses where that is None."""

    def __init__(self, *counts):
        self.counts, self.seeds = counts, []

    def answers(self, batch, seed):
        self.seeds.append(seed)
        return [
            Answer(refusal="open") if n is None else Answer(row_of_faces(n).boxes[0]) for n in self.counts
        ]


def test_people_take_places_in_order_and_nothing_is_put_right(batch):
    answers = Rows(1, 2, 3).answers(batch, 0)
    answers[1].keypoints = torch.full((2, 17, 3), 0.25)
    moved = rearranged(batch, answers)
    assert moved.layout.counts().tolist() == [1, 2, 2]
    torch.testing.assert_close(moved.layout.boxes[0, 0], row_of_faces(1).boxes[0, 0])
    assert not moved.layout.boxes[0, 1].any()
    torch.testing.assert_close(moved.layout.boxes[2], row_of_faces(3).boxes[0, :2])
    assert moved.layout.keypoints[1].eq(0.25).all()
    assert not moved.layout.keypoints[2].any()
    assert moved.prompts == batch.prompts
    assert torch.equal(moved.references, batch.references)
    assert batch.layout.counts().tolist() == [2, 2, 2]


def test_faces_are_drawn_where_the_plan_has_them(batch):
    drawing = PlannedArtist(ARTIST)
    drawing.architect = Rows(2, 2, None)
    images = drawing.generate(batch, seed=4)
    assert images.shape == (3, 3, 128, 128)
    assert drawing.architect.seeds == [4]
    assert drawing.figures["plan_exact"].tolist() == [1, 1, 0]
    assert (drawing.figures["plan_seconds"] > 0).all()
    planned = row_of_faces(2).boxes[0]
    for seen in TinyAnalyzer().analyze(images[:2].float().clamp(0, 1)):
        pairs = match_by_place(planned, seen.boxes)
        apart = (planned[pairs[0]] - seen.boxes[pairs[1]]).abs().max()
        assert len(pairs[0]) == 2
        assert apart < 0.08
    nobody = PlannedArtist(ARTIST)
    nobody.architect = Rows(None, None, None)
    assert nobody.generate(batch, seed=4).isfinite().all(), "a batch without any canvas"
    own = PlannedArtist(ARTIST)
    assert torch.equal(own.generate(batch, seed=4), own.artist.generate(batch, seed=4))
    assert own.figures == {}


def test_both_architects_and_both_artists_stand_in_the_suite():
    suite, _ = load_suite("architects")
    found = {c.method: c for c in configurations(suite)}
    assert set(found) == {"true_base", "true_tuned", "llm_base", "llm_tuned", "flow_base", "flow_tuned"}
    for name, configuration in found.items():
        made = PlannedArtist(**configuration.generator.init_args)
        kind, artist = name.split("_")
        assert (
            type(made.architect)
            is {
                "true": type(None),
                "llm": LanguageArchitect,
                "flow": DraftingArchitect,
            }[kind]
        )
        assert (made.artist.lora == "artist_tiny") == (artist == "tuned")
        assert len(configuration.seeds) == 3
    drafts = PlannedArtist(**found["flow_tuned"].generator.init_args).architect.drafts
    alone, _ = load_suite("architect_b")
    trained = TrainedArtist(**alone.methods["tuned"].generator.init_args)
    assert drafts.run.written(1) == trained.run.written(1), "the trainings of architect_b are found again"
    assert alone.methods["base"].paper == {"count_exact": 0.599}
    assert alone.methods["tuned"].paper == {"count_exact": 0.932}


def test_another_language_model_plans_in_all_rows_of_the_suite():
    suite, _ = load_suite("architects", ["options.llm.init_args.config=ar2can/architect_smollm2.yaml"])
    made = [PlannedArtist(**suite.methods[name].generator.init_args) for name in ("llm_base", "llm_tuned")]
    assert [m.architect.config.stem for m in made] == ["architect_smollm2"] * 2


def test_what_is_missing_is_said_before_anything_is_drawn():
    suite, _ = load_suite("architects")
    with pytest.raises(ValueError, match=r"weights: there is no file nowhere\.safetensors"):
        LanguageArchitect(weights="nowhere.safetensors").check()
    drafts = {"class_path": "benchmarks.trained.ConfiguredArtist", "init_args": {}}
    with pytest.raises(ValueError, match="redraws: -1"):
        DraftingArchitect(drafts, redraws=-1).check()
    with pytest.raises(SuiteError, match="Nowhere"):
        PlannedArtist({"class_path": "benchmarks.trained.Nowhere"})
    configuration = next(c for c in configurations(suite) if c.method == "true_tuned")
    check_generator(configuration)
    assert isinstance(PlannedArtist(ARTIST).artist, ConfiguredArtist)
