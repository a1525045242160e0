"""HPSv3 against numbers of the public package, and against its steps written out by hand, on a small network.

``PUBLISHED`` was computed with the sources of hpsv3 1.0.0 on transformers 4.45.2, the version it asks for, from the
very folder, weights and pictures ``hpsv3_small`` makes: model and processor as in ``train.py``, lines 50-114,
``HPSv3RewardInferencer.prepare_batch`` and ``reward`` (``inference.py``, lines 97-147) and ``Qwen2VLRewardModelBT``
(``model/qwen2vl_trainer.py``, lines 59-247), whose CUDA autocast around the head was replaced by ``.float()``.
"""

import hashlib

import hpsv3_small as small
import pytest
import torch
from hpsv3_by_hand import ByHand
from noise import noise
from safetensors.torch import load_file, save_file

from rewards.scorers.hpsv3 import HPSv3Scorer
from rewards.scorers.hpsv3_network import RoundedVisionRotary
from rewards.scorers.hpsv3_question import QUESTION, REWARD_TOKEN

PUBLISHED = {
    ("float32", (40, 64)): [[-0.79885, -1.16927], [-1.19023, -0.63521], [-1.13079, -0.65049]],
    ("float32", (448, 448)): [[-0.90692, -0.91833], [-1.20119, -0.31768], [-1.04214, -0.6991]],
    ("float32", (700, 500)): [[-1.02099, -0.81519], [-1.19461, -0.26295], [-1.0612, -0.77075]],
    ("bfloat16", (448, 448)): [[-0.89127, -0.92164], [-1.09234, -0.47374], [-1.02441, -0.88167]],
    ("bfloat16", (700, 500)): [[-0.9966, -0.8951], [-1.10713, -0.43403], [-1.1436, -0.92231]],
}
# Unlike in float32, kernels differ here; with frequencies in float32 the scores would be off by up to 0.17.
TOLERANCE = {"float32": 1e-4, "bfloat16": 0.05}
SIZE = (40, 64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("qwen2vl")
    small.write_backbone(root)
    small.write_checkpoint(root / "hpsv3.safetensors")
    return root


@pytest.fixture(scope="module")
def built(folder):
    """Scorers by precision, two images at a time."""
    checkpoint = str(folder / "hpsv3.safetensors")
    return {kind: HPSv3Scorer(str(folder), checkpoint, dtype=kind, batch_size=2) for kind in TOLERANCE}


@pytest.fixture(scope="module")
def scores(built):
    return built["float32"].score(small.pictures(*SIZE), small.PROMPTS)


def test_the_question_is_the_packages():
    """``INSTRUCTION + prompt_with_special_token`` of ``dataset/data_collator_qwen.py``, byte for byte."""
    digest = "f6ee57479d4e9eee76b49c00dc962e1e696a5a2b3cc32cebd9b1fa76fe27502c"
    assert hashlib.sha256(QUESTION.encode()).hexdigest() == digest
    assert QUESTION.count(REWARD_TOKEN) == 1


@pytest.mark.parametrize(("dtype", "size"), PUBLISHED, ids=str)
def test_predictions_are_those_of_the_public_package(built, dtype, size):
    predicted = built[dtype].predict(small.pictures(*size), small.PROMPTS)
    assert predicted.dtype == torch.float32
    expected = torch.tensor(PUBLISHED[dtype, size])
    torch.testing.assert_close(predicted, expected, atol=TOLERANCE[dtype], rtol=0)


@pytest.mark.parametrize("size", [(90, 300), (896, 448)])
def test_prediction_is_the_steps_written_out(built, size):
    image = (0.5 + 0.5 * noise((1, 3, *size), 5)).clamp(0, 1)
    conversation = (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|><|image_pad|>"
        f"<|vision_end|>{QUESTION.format(text_prompt='a man')}<|im_end|>\n<|im_start|>assistant\n"
    )
    tokenizer = built["float32"]._parts()[0].tokenizer
    tokens = tokenizer(conversation, return_tensors="pt").input_ids[0]
    hand = ByHand(small.weights(), {**small.CONFIG, "reward_token_id": small.REWARD})
    expected = hand.predict(tokens, (image[0] * 255).round().byte())
    predicted = built["float32"].predict(image, ["a man"])[0]
    torch.testing.assert_close(predicted, expected, atol=1e-4, rtol=0)


def test_the_score_is_the_mean(built, scores):
    predicted = built["float32"].predict(small.pictures(*SIZE), small.PROMPTS)
    torch.testing.assert_close(scores, predicted[:, 0])


def test_a_permutation_of_the_batch_permutes_scores(built, scores):
    images, order = small.pictures(*SIZE), [2, 0, 1]
    permuted = built["float32"].score(images[order], [small.PROMPTS[i] for i in order])
    torch.testing.assert_close(permuted, scores[order], atol=1e-4, rtol=0)
    swapped = built["float32"].score(images[order], small.PROMPTS)
    assert (swapped - scores).abs().max() > 0.01, "the image must matter"
    assert (swapped - scores[order]).abs().max() > 0.01, "the prompt must matter"


def test_batching_changes_nothing(folder, scores):
    single = HPSv3Scorer(str(folder), str(folder / "hpsv3.safetensors"), dtype="float32", batch_size=1)
    torch.testing.assert_close(single.score(small.pictures(*SIZE), small.PROMPTS), scores, atol=1e-4, rtol=0)


def test_names_of_newer_transformers_are_read(folder, tmp_path, scores):
    def rename(name):
        for old, new in (("visual.", "model.visual."), ("model.", "model.language_model.")):
            if name.startswith(old):
                return new + name.removeprefix(old)
        return name

    small.write_checkpoint(tmp_path / "new.safetensors", rename)
    scorer = HPSv3Scorer(str(folder), str(tmp_path / "new.safetensors"), dtype="float32", batch_size=3)
    torch.testing.assert_close(scorer.score(small.pictures(*SIZE), small.PROMPTS), scores, atol=1e-4, rtol=0)


def test_a_long_prompt_is_cut_and_the_question_kept(folder):
    scorer = HPSv3Scorer(str(folder), str(folder / "hpsv3.safetensors"), max_prompt_tokens=40)
    long = "crowd " * 7000  # more tokens than Qwen2-VL's 32768
    cut = scorer._conversation(long)
    assert cut == scorer._conversation(long[:40])
    assert cut.endswith(f"image: {REWARD_TOKEN}\n\nEND\n<|im_end|>\n<|im_start|>assistant\n")
    assert scorer._conversation("é" * 30) == scorer._conversation("é" * 20), "two tokens each"
    image = small.pictures(*SIZE)[:1]
    torch.testing.assert_close(scorer.score(image, [long]), scorer.score(image, [long[:40]]))


def test_nothing_asks_for_gradients_and_only_the_head_is_float32(built):
    images = small.pictures(*SIZE)[:1].requires_grad_()
    assert not built["bfloat16"].score(images, ["one"]).requires_grad
    network = built["bfloat16"]._parts()[1]
    assert not any(part.training for part in network.modules())
    assert not any(weight.requires_grad for weight in network.parameters())
    assert {weight.dtype for weight in network.head.parameters()} == {torch.float32}
    assert {weight.dtype for weight in network.backbone.parameters()} == {torch.bfloat16}


def test_angles_of_the_picture_are_rounded(built):
    """``VisionRotaryEmbedding`` of transformers 4.45.2: positions times frequencies, cosine and sine in bfloat16."""
    rotary = built["bfloat16"]._parts()[1].backbone.visual.rotary_pos_emb
    assert isinstance(rotary, RoundedVisionRotary)
    rates = (1.0 / 10000.0 ** (torch.arange(0, 8, 2).float() / 8)).bfloat16()
    table = torch.outer(torch.arange(40).bfloat16(), rates)
    places = torch.tensor([[3, 7], [0, 39], [31, 1]])
    angles = table[places].flatten(1).repeat(1, 2)
    cos, sin = rotary(torch.zeros(3, 32, dtype=torch.bfloat16), places)
    assert torch.equal(cos, angles.cos())
    assert torch.equal(sin, angles.sin())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda held: held.pop("rm_head.3.bias"), r"1 weights such as head\.3\.bias"),
        (lambda held: held.update({"extra.weight": torch.zeros(2)}), r"1 weights such as extra\.weight"),
        (
            lambda held: held.update({"model.embed_tokens.weight": torch.zeros(small.REWARD, 32)}),
            r"embed_tokens",
        ),
    ],
)
def test_other_weights_are_refused(folder, tmp_path, change, complaint):
    held = load_file(folder / "hpsv3.safetensors")
    change(held)
    save_file(held, tmp_path / "other.safetensors")
    scorer = HPSv3Scorer(str(folder), str(tmp_path / "other.safetensors"))
    with pytest.raises(ValueError, match=f"checkpoint: .*{complaint}"):
        scorer.score(torch.zeros(1, 3, 28, 28), ["x"])


def test_missing_paths_are_refused(folder, tmp_path):
    with pytest.raises(ValueError, match=r"backbone: .* holds no config\.json; give a local folder of Qwen"):
        HPSv3Scorer(str(tmp_path), str(folder / "hpsv3.safetensors"))
    with pytest.raises(ValueError, match=r"checkpoint: .*none is no file; download HPSv3\.safetensors"):
        HPSv3Scorer(str(folder), str(tmp_path / "none"))


def test_files_are_read_at_the_first_call(folder, tmp_path):
    (tmp_path / "empty").touch()
    HPSv3Scorer(str(folder), str(tmp_path / "empty"))


@pytest.mark.parametrize("token", [REWARD_TOKEN, "<|image_pad|>"])
def test_a_prompt_in_the_chats_own_tokens_is_refused(built, token):
    with pytest.raises(ValueError, match=r"prompts: .*remove it"):
        built["float32"].score(torch.zeros(1, 3, 28, 28), [f"two {token} women"])


def test_bad_numbers_are_refused(folder, built):
    with pytest.raises(ValueError, match="prompts: 1 for 3 images"):
        built["float32"].score(small.pictures(*SIZE), ["one"])
    with pytest.raises(ValueError, match="max_prompt_tokens: 0"):
        HPSv3Scorer(str(folder), str(folder / "hpsv3.safetensors"), max_prompt_tokens=0)
