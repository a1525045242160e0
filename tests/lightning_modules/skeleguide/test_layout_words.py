"""The words by which a base knows that skeletons are to be drawn: before the reasoner's prompt, as in pretraining."""

import pytest
import torch
import yaml
from small_module import WordEncoder, direct, reason_render, scenes

from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.backbone.contexts import LAYOUT_WORDS
from lightning_modules.configured import CONFIGS
from lightning_modules.skeleguide.phases import APPEARANCE, SKELETAL, phase_named


def texts_read(module, call):
    """The text tokens and pooled vectors that the backbone is shown, by LoRA set."""
    seen = {}
    sequence = module.branch.sequence

    def spy(prompts, canvas, picture, adapter):
        seen.setdefault(adapter, (prompts.tokens, prompts.valid, prompts.pooled))
        return sequence(prompts, canvas, picture, adapter)

    object.__setattr__(module.branch, "sequence", spy)
    call(module)
    return seen


def train(module):
    module.losses(module.encode(scenes()), phase_named("joint", module.phases), torch.Generator())


def compose(module):
    batch = scenes()
    module.compose(batch.source, batch.prompts, seed=0)


@pytest.mark.parametrize("call", [train, compose])
def test_they_stand_before_the_reasoners_prompt_and_nowhere_else(call):
    batch = scenes()
    plain = WordEncoder().encode(batch.prompts)
    words = WordEncoder().encode(["skeletons of"])
    seen = texts_read(reason_render(steps=1, recipe={"layout_words": "skeletons of"}), call)
    tokens, valid, pooled = seen[SKELETAL]
    assert torch.equal(tokens, torch.cat([words.tokens.expand(2, -1, -1), plain.tokens], dim=1))
    assert torch.equal(valid, torch.cat([words.valid.expand(2, -1), plain.valid], dim=1))
    assert torch.equal(pooled, plain.pooled)
    assert torch.equal(seen[APPEARANCE][0], plain.tokens)
    without = texts_read(reason_render(steps=1), call)
    assert torch.equal(without[SKELETAL][0], plain.tokens)


def test_the_tokens_are_those_of_pretraining():
    """There, each sample's valid tokens stand behind the valid tokens of the words, which are encoded alone."""
    encoder = MiniLMPromptEncoder()
    null, words = (
        tokens[valid] for tokens, valid in zip(*_parts(encoder.encode(["", LAYOUT_WORDS])), strict=True)
    )
    asked = encoder.encode(["two women in a park", ""]).after(encoder.encode([LAYOUT_WORDS]))
    assert torch.equal(asked.tokens[1][asked.valid[1]], torch.cat([words, null]))
    alone = encoder.encode(["two women in a park"])
    assert torch.equal(asked.tokens[0][asked.valid[0]], torch.cat([words, alone.tokens[0]]))
    assert asked.offsets.shape[:2] == asked.valid.shape
    assert not asked.offsets[:, : len(words)].any()
    with pytest.raises(ValueError, match="words: 2 texts"):
        alone.after(encoder.encode(["a", "b"]))


def _parts(embedding):
    return embedding.tokens, embedding.valid


@pytest.mark.parametrize("name", ["tiny", "stage_one_tiny"])
def test_the_tiny_configurations_use_the_words_of_the_shipped_base(name):
    written = yaml.safe_load((CONFIGS / "skeleguide" / f"{name}.yaml").read_text())
    assert written["model"]["init_args"]["recipe"]["layout_words"] == LAYOUT_WORDS


def test_a_set_trained_behind_words_says_so():
    module = reason_render(recipe={"layout_words": LAYOUT_WORDS})
    assert module.adapter_scope(SKELETAL)["words"] == LAYOUT_WORDS
    assert "words" not in module.adapter_scope(APPEARANCE)
    assert "words" not in reason_render().adapter_scope(SKELETAL)
    assert "words" not in direct().adapter_scope(APPEARANCE)
