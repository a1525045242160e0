"""Qwen2.5-VL as a PoseInverter, with small made-up weights: the loss is the answer's, and what is learned is read."""

from dataclasses import replace

import pytest
import torch
from small_qwen import write_qwen
from torch.nn import functional

from datamodules.human_in_place import HumanInPlaceScenes, join
from lightning_modules.skeleguide.pose_inverter_vlm import ADAPTER, QUESTION, QwenPoseInverter
from lightning_modules.skeleguide.pose_text import Poses, encode
from rewards.weights import WeightsCard

CARD = WeightsCard("pose_inverter", "", 0, "", 1, "2026-01-01")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("qwen")
    write_qwen(path)
    return path


@pytest.fixture(scope="module")
def batch():
    """Two samples of one and two people, each with nose and two wrists only, so that answers are short."""
    samples = join([HumanInPlaceScenes("train", 2, (1, 2))[i] for i in range(2)])
    joints = torch.zeros_like(samples.layout.keypoints)
    joints[..., [0, 9, 10], :] = samples.layout.keypoints[..., [0, 9, 10], :]
    return replace(samples, layout=replace(samples.layout, keypoints=joints))


def inverter(folder, **options):
    torch.manual_seed(0)
    return QwenPoseInverter(str(folder), dtype="float32", checkpointing=False, **options)


def test_the_loss_is_the_mean_over_the_answers_tokens(folder, batch):
    network = inverter(folder, rank=0)
    loss = network.losses(batch.layout_image[:1], batch.select(torch.tensor([0])))["answer"]
    answer = encode(Poses.of(batch.layout.keypoints[0, :1]), 3) + "<|im_end|>"
    content = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
    question = network.processor.apply_chat_template(content, tokenize=False, add_generation_prompt=True)
    inputs = network._inputs(batch.layout_image[:1], [question + answer], "right")
    logits = network.model(**inputs).logits[0]
    count = len(network.processor.tokenizer(answer)["input_ids"])
    by_hand = functional.cross_entropy(logits[-count - 1 : -1], inputs["input_ids"][0, -count:])
    torch.testing.assert_close(loss, by_hand, rtol=1e-4, atol=1e-4)
    both = network.losses(batch.layout_image, batch)["answer"]
    assert both.isfinite()
    assert abs(float(both) - float(loss)) < 1


def test_what_is_learned_by_heart_is_read(folder, batch):
    network = inverter(folder, rank=0, max_new_tokens=200)
    one = batch.select(torch.tensor([0]))
    one = replace(one, layout=replace(one.layout, keypoints=one.layout.keypoints[:, :1], boxes=one.layout.boxes[:, :1],
                                      valid=one.layout.valid[:, :1], depths=None))  # fmt: skip
    network.configure()
    optimizer = torch.optim.AdamW(network.parameters(), 4e-3)
    for _ in range(120):
        loss = network.losses(one.layout_image, one)["answer"]
        if float(loss) < 0.02:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    (found,) = network.invert(one.layout_image)
    torch.testing.assert_close(found.keypoints, one.layout.keypoints[0], atol=6e-4, rtol=0)


def test_nonsense_means_nobody_and_is_logged(folder, batch, caplog):
    found = inverter(folder, rank=4, max_new_tokens=5).invert(batch.layout_image)
    assert [len(poses) for poses in found] == [0, 0]
    assert "no pose in the answer" in caplog.text


def test_a_lora_trains_the_language_model_alone_and_is_read_back(folder, batch, tmp_path):
    network = inverter(folder, rank=2)
    network.configure()
    trained = [name for name, p in network.named_parameters() if p.requires_grad]
    assert trained
    assert all("lora_" in name and "visual" not in name for name in trained)
    sum(network.losses(batch.layout_image, batch).values()).backward()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None
                parameter.add_(0.05 * torch.randn_like(parameter))
    network.save(tmp_path, CARD)
    again = inverter(folder, adapter=str(tmp_path / ADAPTER))
    ours, theirs = (n.losses(batch.layout_image, batch)["answer"] for n in (network, again))
    torch.testing.assert_close(ours, theirs)
    assert (tmp_path / ADAPTER / "adapter_model.json").is_file()


def test_checkpointing_changes_no_gradient(folder, batch):
    grads = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        network = QwenPoseInverter(str(folder), rank=2, dtype="float32", checkpointing=checkpointing)
        network.configure()
        network.train()
        with torch.no_grad():
            for name, p in network.named_parameters():
                if "lora_B" in name:
                    p.fill_(0.01)
        network.losses(batch.layout_image, batch)["answer"].backward()
        grads.append([p.grad for p in network.parameters() if p.requires_grad])
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b)


def test_wrong_folders_are_named(tmp_path, folder):
    with pytest.raises(ValueError, match=r"source: .* holds no config"):
        QwenPoseInverter(str(tmp_path))
    with pytest.raises(ValueError, match=r"adapter: .* holds no adapter_config"):
        QwenPoseInverter(str(folder), adapter=str(tmp_path))
    with pytest.raises(ValueError, match="rank, max_new_tokens: -1"):
        QwenPoseInverter(str(folder), rank=-1)
