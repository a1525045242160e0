"""The shipped inverter on held-out layouts, its training module, and the figures it is judged by."""

from dataclasses import replace

import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from quiet_trainer import quiet_trainer
from safetensors.torch import load_file

from datamodules.geometry.draw import draw_layouts
from datamodules.human_in_place import HumanInPlaceDataModule, HumanInPlaceScenes, join
from datamodules.schema.layout import Layout
from lightning_modules.backbone.latents import load_codec
from lightning_modules.pretraining.module import Recipe
from lightning_modules.skeleguide.layout_views import as_decoded
from lightning_modules.skeleguide.pose_inverter import TinyPoseInverter
from lightning_modules.skeleguide.pose_inverter_module import PoseInverterModule, reading_figures
from lightning_modules.skeleguide.pose_text import Poses, decode, encode
from lightning_modules.skeleguide.skeleton_reader import SkeletonReader
from rewards.functional.keypoints import extent_areas
from rewards.weights import read_card

COUNTS = (1, 2, 3, 4, 5, 6, 7)


@pytest.fixture(scope="module")
def held_out():
    return join([HumanInPlaceScenes("test", 28, COUNTS, first_seed=500)[i] for i in range(28)])


@pytest.fixture(scope="module")
def inverter():
    return TinyPoseInverter()


@pytest.fixture(scope="module")
def decoded(held_out):
    return as_decoded(held_out.layout_image, load_codec())


def pycocotools_oks(gt, pred, area):
    """COCOeval.computeOks of one true and one found person."""
    evaluation = COCOeval(iouType="keypoints")
    evaluation.cocoGt = COCO()
    row = {"id": 1, "ignore": 0, "iscrowd": 0, "bbox": [0, 0, 1, 1], "area": float(area)}
    evaluation._gts = {(1, 1): [{**row, "keypoints": gt.flatten().double().tolist()}]}
    evaluation._dts = {(1, 1): [{"score": 1, "keypoints": pred.flatten().double().tolist()}]}
    evaluation.params.imgIds, evaluation.params.catIds = [1], [1]
    return float(evaluation.computeOks(1, 1)[0, 0])


def test_held_out_layouts_are_read_through_the_codec(inverter, held_out, decoded):
    """Mean OKS over all true people of layouts as a codec decodes them, the missing counting 0."""
    figures = reading_figures(inverter.invert(decoded), held_out.layout, held_out.size)
    assert len(figures["oks"]) == sum(COUNTS) * 4
    assert float(figures["oks"].mean()) >= 0.8
    assert float(figures["count"].mean()) >= 0.9
    assert float(figures["pck"].nanmean()) >= 0.85
    plain = reading_figures(inverter.invert(held_out.layout_image), held_out.layout, held_out.size)
    assert float(plain["oks"].mean()) >= 0.8


def test_figures_are_pycocotools_for_a_single_person(inverter):
    batch = join([HumanInPlaceScenes("val", 4, (1,))[i] for i in range(4)])
    poses = inverter.invert(batch.layout_image)
    figures = reading_figures(poses, batch.layout, batch.size)
    scale = torch.tensor([128.0, 128.0, 1.0])
    for i in range(4):
        assert len(poses[i]) == 1
        gt = batch.layout.keypoints[i] * scale
        pred = poses[i].keypoints * scale
        pred[..., :2] = torch.where(pred[..., 2:] > 0, pred[..., :2], 1e6)
        theirs = pycocotools_oks(gt[0], pred[0], extent_areas(gt)[0])
        assert float(figures["oks"][i]) == pytest.approx(theirs, abs=1e-5)


def test_missing_and_surplus_people_cost(held_out):
    layout = held_out.layout
    truth = [Poses.of(k[v]) for k, v in zip(layout.keypoints, layout.valid, strict=True)]
    perfect = reading_figures(truth, layout, held_out.size)
    assert float(perfect["oks"].min()) == pytest.approx(1)
    assert float(perfect["pck"].nanmean()) == 1
    assert perfect["count"].tolist() == [1.0] * 28
    nobody = [Poses(torch.zeros(0, 17, 3), torch.zeros(0, 17))] * 28
    assert float(reading_figures(nobody, layout, held_out.size)["oks"].max()) == 0
    fewer = [Poses(p.keypoints[1:], p.confidence[1:]) for p in truth]
    figures = reading_figures(fewer, layout, held_out.size)
    assert float(figures["count"].max()) == 0
    assert float(figures["oks"].sum()) == pytest.approx(float(len(figures["oks"]) - 28), abs=8)


def test_a_joint_that_was_not_seen_is_wrong_wherever_it_is():
    gt = torch.rand(1, 1, 17, 3) * 0.8 + 0.1
    gt[..., 2] = 2
    gt[0, 0, 9, :2] = 0.001  # where an unseen joint's zeros would lie
    layout = Layout(torch.rand(1, 1, 4), gt, torch.ones(1, 1, dtype=torch.bool))
    seen = gt[0].clone()
    seen[0, 9] = 0
    figures = reading_figures([Poses.of(seen)], layout, (128, 128))
    assert float(figures["oks"][0]) == pytest.approx(16 / 17)
    assert float(figures["pck"][0]) == pytest.approx(16 / 17)


def test_what_is_read_can_be_written_and_drawn(inverter, decoded):
    for poses in inverter.invert(decoded):
        back = decode(encode(poses))
        torch.testing.assert_close(back.keypoints, poses.keypoints, atol=1e-4, rtol=0)
        centre = (poses.keypoints[..., 0] * (poses.keypoints[..., 2] > 0)).sum(1)
        assert len(centre) <= 7
        assert bool(((poses.confidence > 0) == (poses.keypoints[..., 2] > 0)).all())


def test_a_moved_joint_is_read_where_it_was_moved(inverter):
    """Half of the way at least: the network leans towards the poses it knows."""
    batch = join([HumanInPlaceScenes("val", 12, (1,))[i] for i in range(12)])
    moved = batch.layout.keypoints.clone()
    step = torch.tensor([0.04, -0.03])
    moved[:, 0, 7, :2] += step  # left elbows
    layout = replace(batch.layout, keypoints=moved)
    before = inverter.invert(batch.layout_image)
    after = inverter.invert(draw_layouts(layout, batch.size, batch.source))
    travelled = torch.stack(
        [a.keypoints[0, 7, :2] - b.keypoints[0, 7, :2] for a, b in zip(after, before, strict=True)]
    )
    assert float((travelled @ step / step.square().sum()).median()) > 0.5


def test_other_sizes_and_shapes_are_read(inverter, held_out):
    image = torch.nn.functional.interpolate(held_out.layout_image[:1], scale_factor=2, mode="bilinear")
    (large,), (small,) = inverter.invert(image), inverter.invert(held_out.layout_image[:1])
    torch.testing.assert_close(large.keypoints[..., :2], small.keypoints[..., :2], atol=0.03, rtol=0)
    wide = torch.nn.functional.pad(image, (0, 128), value=0.5)
    (poses,) = inverter.invert(wide)
    assert bool((poses.keypoints[..., :2] <= 1).all())
    assert inverter.invert(torch.full((2, 3, 128, 128), 0.5))[1].keypoints.shape == (0, 17, 3)
    with pytest.raises(ValueError, match="score_threshold: 0"):
        TinyPoseInverter(score_threshold=0)


def test_the_module_trains_validates_and_exports(tmp_path):
    data = HumanInPlaceDataModule(n_train=8, n_val=2, counts=(1, 2), batch_size=4, keep=True)
    network = SkeletonReader(width=8, neck=8, body=8, rounds=1)
    module = PoseInverterModule(network, recipe=Recipe(1e-3, warmup_steps=1, export_folder=str(tmp_path)))
    before = {name: value.clone() for name, value in network.named_parameters()}
    quiet_trainer(
        max_steps=2, num_sanity_val_steps=0, val_check_interval=2, check_val_every_n_epoch=None
    ).fit(module, datamodule=data)
    card = read_card(tmp_path, "pose_inverter")
    assert card.steps == 2
    assert {"val/oks", "val/oks_decoded", "val/count", "val/pck_decoded"} <= card.metrics.keys()
    assert card.data == "layouts of 8 scenes of the train split, from seed 0, [1, 2] people"
    written = load_file(tmp_path / "pose_inverter.safetensors")
    for name, value in network.named_parameters():
        assert not torch.equal(value, before[name]), f"{name} was not trained"
        torch.testing.assert_close(written[name].float(), value.detach(), rtol=2e-3, atol=1e-4)
    assert not any("vae" in name for name in module.state_dict()), "the codec is no part of the module"
    assert len(TinyPoseInverter(weights=tmp_path).invert(torch.rand(2, 3, 128, 128))) == 2
    with pytest.raises(ValueError, match="decoded_share: 2 is a share"):
        PoseInverterModule(network, decoded_share=2)


def test_losses_fall_on_one_batch():
    torch.manual_seed(0)
    batch = join([HumanInPlaceScenes("train", 2, (1, 2))[i] for i in range(2)])
    network = SkeletonReader(width=16, neck=16, body=32, rounds=1)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    totals = []
    for _ in range(25):
        losses = network.losses(batch.layout_image, batch)
        assert set(losses) == {"heatmap", "box", "landmarks", "mask", "keypoints", "visibility"}
        total = torch.stack(list(losses.values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total))
    assert totals[-1] < 0.5 * totals[0]
