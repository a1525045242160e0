"""People put into scenes, as suites see them: what is drawn from what, what is trained once, what figures say."""

from dataclasses import replace

import pytest
import torch
from omegaconf import OmegaConf

from benchmarks.ceilings import RaisedArms, TrueLayouts
from benchmarks.generation import check_generator
from benchmarks.in_place import InPlace, TrainedInPlace
from benchmarks.in_place_metrics import background, edited_pose, layout_quality
from benchmarks.metrics import Observation
from benchmarks.suite import Component, SuiteError
from benchmarks.suite_file import load_suite
from benchmarks.sweep import Configuration, configurations
from benchmarks.training_log import PHASES
from callbacks.lora_export import LoRAExport
from datamodules.collate import collate
from datamodules.geometry.draw import draw_layouts
from datamodules.geometry.edits import raise_left_arm
from datamodules.schema.detections import Detections
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.configured import CONFIGS, configured_module
from lightning_modules.skeleguide.in_place import InPlaceModule
from lightning_modules.skeleguide.module import ReasonRenderModule
from lightning_modules.skeleguide.phases import SKELETAL
from rewards.analyzers.tiny import TinyAnalyzer

QUICK = ["model.init_args.sampling.steps=1", "model.init_args.sampling.guidance={appearance: {scale: 1.0}}"]
SHORT = [
    *QUICK,
    "trainer.limit_val_batches=0",
    "trainer.log_every_n_steps=1",
    "data.init_args.batch_size=1",
]
SUITES = ("skeleguide_table_2", "skeleguide_table_3")


@pytest.fixture(scope="module")
def batch():
    return collate([draw_scene(seed, "val", count=count) for seed, count in ((1, 1), (2, 2), (5, 3))])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """LoRA sets of random numbers, exported as training exports them."""
    folder = tmp_path_factory.mktemp("sets")
    module = configured_module(CONFIGS / "skeleguide" / "tiny.yaml", ReasonRenderModule, QUICK)
    for name, parameter in module.backbone.adapters.named_parameters():
        torch.nn.init.normal_(parameter, std=0.02 if "appearance" in name else 0.03)
    for name in ("skeletal", "appearance"):
        LoRAExport(str(folder / f"{name}.safetensors"), name)._write(module, write=True)
    return folder, module


def observed(images, scenes, detections=None):
    counts = scenes.layout.counts().tolist()
    return Observation(images, scenes.prompts, tuple(counts), detections, scenes, None, None)


def detections(scenes, keypoints, masks):
    return [
        Detections(
            boxes=scenes.layout.boxes[i][valid],
            scores=torch.ones(int(valid.sum())),
            keypoints=keypoints[i][valid],
            person_mask=masks[i].float(),
        )
        for i, valid in enumerate(scenes.layout.valid)
    ]


def test_images_layouts_and_edited_poses_are_what_the_module_draws(batch, weights):
    folder, module = weights
    composed = module.compose(batch.backgrounds, batch.prompts, seed=7)
    made = InPlace(weights=str(folder), changes=QUICK)
    made.check()
    assert torch.equal(made.generate(batch, seed=7), composed.image)
    scene, layout = made.beside
    assert torch.equal(scene, batch.backgrounds)
    assert torch.equal(layout, composed.layout_image.float().clamp(0, 1))
    shown = InPlace(weights=str(folder), changes=QUICK, shows="layout")
    assert torch.equal(shown.generate(batch, seed=7), composed.layout_image)
    assert [picture.shape for picture in shown.beside] == [scene.shape]
    edited = draw_layouts(raise_left_arm(batch.layout, batch.size), batch.size, batch.backgrounds)
    assert torch.equal(
        made.generate(batch, seed=7, pose="edited"), module.render(edited, batch.prompts, 7).image
    )
    assert torch.equal(made.beside[1], edited)
    assert made.figures["oks"].isnan().tolist() == [True] * 3, "the plan is not what was drawn"
    made.generate(batch, seed=7, pose="given")
    assert made.figures == {}
    twice = made.generate(batch, seed=7, steps=2)
    module.sampling = replace(module.sampling, steps=2)
    assert torch.equal(twice, module.compose(batch.backgrounds, batch.prompts, seed=7).image)
    module.sampling = replace(module.sampling, steps=1)


def test_a_layout_alone_is_not_rendered(batch, weights, monkeypatch):
    folder, _ = weights
    drawn = []

    def counted(self, prompts, adapter, *rest):
        drawn.append(adapter)
        return draw(self, prompts, adapter, *rest)

    draw = InPlaceModule.draw
    monkeypatch.setattr(InPlaceModule, "draw", counted)
    InPlace(weights=str(folder), changes=QUICK, shows="layout").generate(batch, seed=7)
    assert drawn == [SKELETAL]


def test_what_makes_no_sense_is_refused(batch, weights):
    with pytest.raises(ValueError, match="pose: 'standing'"):
        InPlace().generate(batch, seed=0, pose="standing")
    with pytest.raises(ValueError, match="shows: 'both'"):
        InPlace(shows="both")
    with pytest.raises(ValueError, match="weights: nowhere holds no skeletal"):
        InPlace(weights="nowhere").check()
    with pytest.raises(ValueError, match="holds no skeletal"):
        InPlace(weights="nowhere", changes=QUICK).generate(batch, seed=0)
    with pytest.raises(ValueError, match="place without people"):
        InPlace(weights="nowhere").generate(replace(batch, backgrounds=None), seed=0)
    with pytest.raises(RuntimeError, match="call train"):
        TrainedInPlace().generate(batch, seed=0)
    wrong = Component("benchmarks.in_place.TrainedInPlace", {"changes": ["model.init_args.no_such_key=1"]})
    with pytest.raises(SuiteError, match="no_such_key"):
        check_generator(Configuration("m", wrong))


@pytest.mark.slow
def test_a_method_is_trained_once_per_seed_and_draws(batch, tmp_path):
    """All phases of one step each, through the command line, in a process of its own."""
    config = tmp_path / "short.yaml"
    written = OmegaConf.load(CONFIGS / "skeleguide" / "tiny.yaml")
    (schedule,) = (c for c in written.trainer.callbacks if c.class_path == PHASES)
    schedule.init_args.steps = dict.fromkeys(schedule.init_args.steps, 1)
    written.data = {
        "class_path": "datamodules.human_in_place.HumanInPlaceDataModule",
        "init_args": {"n_train": 4},
    }
    OmegaConf.save(written, config)
    without = ["callbacks.sample_grid.CompositionGrid", "callbacks.adapter_checkpoint.AdapterCheckpoint"]
    made = TrainedInPlace(str(config), SHORT, without, folder=str(tmp_path / "runs"))
    folder = made.train(3)
    assert {p.name for p in folder.glob("*.safetensors")} == {
        "skeletal.safetensors",
        "appearance.safetensors",
    }
    assert made.training.unit == "steps"
    assert [step for step, _ in made.training.curves["train/phase"]] == [1, 2, 3]
    assert made.generate(batch, seed=0).shape == batch.images.shape
    written = (folder / "skeletal.safetensors").stat().st_mtime_ns
    again = TrainedInPlace(str(config), SHORT, without, folder=str(tmp_path / "runs"))
    assert again.train(3) == folder
    assert (folder / "skeletal.safetensors").stat().st_mtime_ns == written


def digest(suite, name, seed=0):
    made = TrainedInPlace(**suite.methods[name].generator.init_args)
    return made.run.digest(made.run.written(seed))


def test_the_tables_share_their_training_and_differ_in_the_others():
    two, three = (load_suite(name)[0] for name in SUITES)
    joint = digest(two, "skeleguide")
    assert digest(two, "single_stage") == digest(two, "single_stage_20")
    assert digest(two, "given_pose") == digest(two, "edited_pose") == digest(three, "joint") == joint
    others = {digest(two, "single_stage"), digest(two, "implicit"), digest(three, "stage_one")}
    assert len(others | {joint, digest(two, "skeleguide", 1)}) == 5


def test_how_trained_sets_draw_is_no_part_of_a_trainings_name():
    plain, quick, other = (
        TrainedInPlace(changes=changes)
        for changes in ([], QUICK, ["model.init_args.recipe.text_dropout=0.2"])
    )
    names = [made.run.digest(made.run.written(0)) for made in (plain, quick, other)]
    assert names[0] == names[1] != names[2]


def test_the_tiny_suite_shows_it():
    found = configurations(load_suite("tiny")[0])
    shown = [c for c in found if c.generator.class_path == "benchmarks.in_place.InPlace"]
    assert [c.setting for c in shown] == [{"pose": "reasoned"}, {"pose": "given"}, {"pose": "edited"}]
    check_generator(shown[0])  # both LoRA sets ship


@pytest.mark.parametrize("name", SUITES)
def test_tables_have_three_seeds_and_the_papers_figures(name):
    suite, _ = load_suite(name)
    found = [c for c in configurations(suite) if not c.ceiling]
    assert all(len(c.seeds) == 3 for c in found)
    reported = [c.paper for c in found if c.paper]
    assert len(reported) == (3 if name.endswith("2") else 2)
    assert all(paper.keys() == reported[0].keys() for paper in reported)
    assert "paper reports" in suite.description


def test_as_many_canvases_pass_through_the_network_in_all_trainings_of_table_2():
    """A step of the joint phase asks the network twice; a step with the pose map beside the image has two canvases."""
    suite, _ = load_suite("skeleguide_table_2")
    passes = set()
    for name in ("single_stage", "implicit", "skeleguide"):
        written = TrainedInPlace(**suite.methods[name].generator.init_args).run.written(0)
        (steps,) = (
            c["init_args"]["steps"] for c in written["trainer"]["callbacks"] if c["class_path"] == PHASES
        )
        wide = 2 if written["model"]["init_args"].get("pose_map") else 1
        passes.add(sum(count * wide * (2 if phase == "joint" else 1) for phase, count in steps.items()))
    assert passes == {1100}


def test_only_what_is_no_persons_counts_as_background(batch):
    nobody = torch.zeros(3, *batch.size, dtype=torch.bool)
    people = batch.masks.any(dim=1)
    seen = detections(batch, batch.layout.keypoints, nobody)
    assert background(observed(batch.images, batch, seen))["background_psnr"].tolist() == [100.0] * 3
    stained = torch.where(people[:, None], 1 - batch.images, batch.images)
    assert background(observed(stained, batch, seen))["background_ssim"].min() > 0.999
    grey = torch.where(people[:, None], batch.images, (batch.images + 0.1).clamp(0, 1))
    figures = background(observed(grey, batch, seen))
    assert figures["background_psnr"].max() < 25
    assert figures["background_perceptual_tiny"].min() > 0
    seen = detections(batch, batch.layout.keypoints, ~people)
    assert background(observed(grey, batch, seen))["background_psnr"].isnan().all()
    assert background(observed(grey, batch)) == {}


def test_layouts_are_judged_by_their_skeletons_and_their_place(batch):
    true = layout_quality(observed(TrueLayouts().generate(batch, seed=0), batch))
    assert true["layout_pck"].min() > 0.8
    assert true["layout_oks"].min() > 0.7
    assert true["layout_count"].tolist() == [1.0] * 3
    assert true["background_psnr"].tolist() == [100.0] * 3
    empty = layout_quality(observed(batch.backgrounds, batch))
    assert empty["layout_pck"].tolist() == [0.0] * 3
    assert empty["layout_count"].tolist() == [0.0] * 3
    faded = layout_quality(observed(0.7 * TrueLayouts().generate(batch, seed=0), batch))
    assert faded["background_psnr"].max() < 30


def test_the_ceiling_of_an_edit_is_the_scene_with_the_arm_raised(batch):
    raised = RaisedArms().generate(batch, seed=0)
    edited = raise_left_arm(batch.layout, batch.size)
    analyzer = TinyAnalyzer()
    figures = edited_pose(observed(raised, batch, analyzer.analyze(raised)))
    unedited = edited_pose(observed(batch.images, batch, analyzer.analyze(batch.images)))
    assert figures["edited_limb"].mean() > unedited["edited_limb"].mean() + 0.3
    nobody = ~draw_layouts(edited, batch.size).amax(dim=1).gt(0)
    assert (raised == batch.images).all(dim=1)[nobody].float().mean() > 0.8
    other = draw_scene(0, "val", count=1)
    for scene in (replace(other, scene_id="photographs/3.jpg"), replace(other, scene_id="val/1")):
        with pytest.raises(ValueError, match=f"{scene.scene_id}' is none of the tiny world's"):
            RaisedArms().generate(collate([scene]), seed=0)


def test_an_edited_arm_counts_where_it_was_put(batch):
    nobody = torch.zeros(3, *batch.size, dtype=torch.bool)
    edited = raise_left_arm(batch.layout, batch.size).keypoints
    moved = edited_pose(observed(batch.images, batch, detections(batch, edited, nobody)))
    assert moved["edited_oks"].tolist() == pytest.approx([1.0] * 3)
    assert moved["edited_limb"].tolist() == pytest.approx([1.0] * 3)
    still = edited_pose(observed(batch.images, batch, detections(batch, batch.layout.keypoints, nobody)))
    assert still["edited_limb"].max() < 0.5
    assert still["edited_oks"].max() < 0.98
    gone = detections(batch, edited, nobody)
    gone[1] = gone[1][torch.tensor([], dtype=torch.long)]
    assert edited_pose(observed(batch.images, batch, gone))["edited_oks"][1] == 0
