"""The CLIP scorer against transformers' own forward on a small random model."""

import string

import pytest
import torch
from torchvision.transforms.functional import to_pil_image
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

from rewards.scorers.clip import CLIPScorer

PROMPTS = ["two women", "a boy and three very tall men in a park full of trees", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("clip")
    letters = list(string.ascii_lowercase)
    words = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=32)
    size = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={
            **size,
            "vocab_size": len(words),
            "max_position_embeddings": 32,
            "bos_token_id": len(words) - 2,
            "eos_token_id": len(words) - 1,
        },
        vision_config={**size, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )
    CLIPModel(config).save_pretrained(root)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(images, tokenizer).save_pretrained(root)
    return root


@pytest.mark.parametrize("scaled", [False, True])
def test_scores_are_transformers_logits(folder, scaled):
    images = torch.rand(3, 3, 48, 40, generator=torch.Generator().manual_seed(0))
    model, processor = CLIPModel.from_pretrained(folder).eval(), CLIPProcessor.from_pretrained(folder)
    inputs = processor(
        text=PROMPTS,
        images=[to_pil_image((image * 255).round().to(torch.uint8)) for image in images],
        return_tensors="pt",
        padding=True,
        truncation=True,
    )
    with torch.no_grad():
        logits = model(**inputs).logits_per_image.diagonal()
    expected = logits if scaled else logits / model.logit_scale.exp()
    scores = CLIPScorer(str(folder), logit_scale=scaled, batch_size=2).score(images, PROMPTS)
    torch.testing.assert_close(scores, expected.detach(), atol=2e-4, rtol=2e-4)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"config\.json"):
        CLIPScorer(str(tmp_path))
