"""HPSv2 against numbers of the public package, and against its steps written out by hand, on a small network.

``PUBLISHED`` was computed with hpsv2 1.2.0 from PyPI (its own copy of OpenCLIP, ``create_model_and_transforms`` and the
forward pass as in ``img_score.py``, lines 18-38 and 61-69) from the very weights and pictures this file builds.
"""

import json

import open_clip
import pytest
import torch
from noise import noise
from torch.nn import functional as nnf

from rewards.scorers.hpsv2 import HPSv2Scorer

NAME = "hps-in-small"
SIDE = 32
NETWORK = {
    "embed_dim": 12,
    "vision_cfg": {"image_size": SIDE, "layers": 2, "width": 16, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}
PROMPTS = ["Two women", "a boy &amp; three very tall men in a park", "", "crowd " * 200]
SIZES = [(48, 40), (20, 64), (32, 32), (30, 21)]
PUBLISHED = {
    (48, 40): [0.141024, -0.076255, -0.055899, -0.15808],
    (20, 64): [-0.087202, -0.169099, -0.182412, -0.18935],
    (32, 32): [0.365004, 0.077635, -0.104306, -0.030467],
    (30, 21): [0.113618, -0.146013, -0.144543, -0.131299],
}


def pictures(height, width):
    """Four pictures of different brightness and contrast; not on the 8-bit grid, but nearer to it than half a step."""
    levels = [0.5 + (0.15 + 0.1 * i) * noise((3, height, width), i) - 0.05 * i for i in range(len(PROMPTS))]
    return (
        (torch.stack(levels).clamp(0, 1) * 255).round() + 0.3 * noise((len(PROMPTS), 3, height, width), 9)
    ) / 255


def weights(shapes):
    """Weights of a network, from names and shapes alone."""
    made = {}
    for seed, (name, shape) in enumerate(sorted(shapes.items())):
        centre = 1.0 if name.endswith("weight") and len(shape) == 1 else 0.0
        made[name] = centre + 0.4 * noise(shape, seed)
    made["logit_scale"] = torch.tensor(4.6)
    return made


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    root = tmp_path_factory.mktemp("hps")
    (root / f"{NAME}.json").write_text(json.dumps(NETWORK))
    open_clip.add_model_config(root / f"{NAME}.json")
    shapes = {name: tuple(value.shape) for name, value in open_clip.create_model(NAME).state_dict().items()}
    torch.save({"state_dict": weights(shapes)}, root / "small.pt")
    return root / "small.pt"


@pytest.fixture(scope="module")
def scorer(checkpoint):
    return HPSv2Scorer(str(checkpoint), architecture=NAME, batch_size=3)


def prepared_by_hand(image, antialias):
    """``transform.py``, lines 37-49 and 141-157: shrink the tensor, pad with zeros, normalise."""
    height, width = image.shape[1:]
    scale = SIDE / float(max(height, width))
    if scale != 1.0:
        new = tuple(round(size * scale) for size in (height, width))
        image = nnf.interpolate(image[None], new, mode="bicubic", align_corners=False, antialias=antialias)[0]
        canvas = torch.zeros(3, SIDE, SIDE)
        top, left = (SIDE - new[0]) // 2, (SIDE - new[1]) // 2
        canvas[:, top : top + new[0], left : left + new[1]] = image
        image = canvas
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    return (image - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]


@pytest.mark.parametrize("size", SIZES)
def test_scores_are_those_of_the_public_package(scorer, size):
    scores = scorer.score(pictures(*size), PROMPTS)
    torch.testing.assert_close(scores, torch.tensor(PUBLISHED[size]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_scores_are_the_steps_written_out(checkpoint, size, antialias):
    images = pictures(*size)
    model = open_clip.create_model(NAME)
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    inputs = torch.stack([prepared_by_hand((image * 255).round() / 255, antialias) for image in images])
    with torch.no_grad():
        features, texts, _ = model.eval()(inputs, open_clip.tokenize(PROMPTS))
    scores = HPSv2Scorer(str(checkpoint), NAME, batch_size=2, antialias=antialias).score(images, PROMPTS)
    torch.testing.assert_close(scores, torch.diagonal(features @ texts.T), atol=1e-5, rtol=0)


def test_a_permutation_of_the_batch_permutes_scores(scorer):
    images, order = pictures(48, 40), [2, 0, 3, 1]
    scores = scorer.score(images, PROMPTS)
    permuted = scorer.score(images[order], [PROMPTS[i] for i in order])
    torch.testing.assert_close(permuted, scores[order])
    agreement = scorer.embed_images(images) @ scorer.embed_prompts(PROMPTS).T
    assert agreement.std(dim=0).min() > 0.02, "the image must matter"
    assert agreement.std(dim=1).min() > 0.02, "the prompt must matter"


def test_batching_changes_nothing(checkpoint, scorer):
    images = pictures(48, 40)
    single = HPSv2Scorer(str(checkpoint), NAME, batch_size=1).score(images, PROMPTS)
    torch.testing.assert_close(scorer.score(images, PROMPTS), single)


def test_a_prompt_beyond_the_models_length_is_cut(scorer):
    long, longer = "crowd " * 200, "crowd " * 75 + "of dogs"
    torch.testing.assert_close(scorer.embed_prompts([long]), scorer.embed_prompts([longer]))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_lower_precision_stays_close(checkpoint, scorer, dtype):
    images = pictures(48, 40)
    lower = HPSv2Scorer(str(checkpoint), NAME, dtype=dtype).score(images, PROMPTS)
    assert lower.dtype == torch.float32
    exact = scorer.score(images, PROMPTS)
    torch.testing.assert_close(lower, exact, atol=0.03, rtol=0)
    assert not torch.equal(lower, exact)


def test_nothing_asks_for_gradients(scorer):
    images = pictures(48, 40).requires_grad_()
    assert not scorer.score(images, PROMPTS).requires_grad
    model = scorer._parts()[1]
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())


def test_the_file_is_read_at_the_first_call(tmp_path):
    (tmp_path / "empty.pt").touch()
    HPSv2Scorer(str(tmp_path / "empty.pt"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"checkpoint: .*none\.pt is no file; download HPS_v2"):
        HPSv2Scorer(str(tmp_path / "none.pt"))


@pytest.mark.parametrize("architecture", ["ViT-X-1", "roberta-ViT-B-32"])
def test_an_unknown_network_or_one_to_download_is_refused(checkpoint, architecture):
    with pytest.raises(ValueError, match=f"architecture: '{architecture}'"):
        HPSv2Scorer(str(checkpoint), architecture).embed_prompts(["x"])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda held: held["state_dict"], "has no entry state_dict"),
        (lambda held: {"state_dict": {**held["state_dict"], "odd": torch.zeros(1)}}, "1 weights such as odd"),
        (lambda held: {"state_dict": {**held["state_dict"], "visual.proj": torch.zeros(2)}}, r"visual\.proj"),
    ],
)
def test_other_weights_are_refused(checkpoint, tmp_path, change, complaint):
    torch.save(change(torch.load(checkpoint, weights_only=True)), tmp_path / "other.pt")
    with pytest.raises(ValueError, match=complaint):
        HPSv2Scorer(str(tmp_path / "other.pt"), NAME).embed_prompts(["x"])


def test_one_prompt_per_image(scorer):
    with pytest.raises(ValueError, match="prompts: 1 for 4 images"):
        scorer.score(pictures(48, 40), ["one"])


def test_a_missing_package_is_named(checkpoint, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install -e \.\[hps\]"):
        HPSv2Scorer(str(checkpoint))
