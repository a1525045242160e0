"""The language model against transformers' own, and where it comes from."""

import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import DynamicCache

from datamodules.text import minilm
from lightning_modules.language.model import LanguageLoRA, LanguageModel
from lightning_modules.language.sources import MINILM_WORDS, LanguageSize

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)
SMALL = LanguageSize(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)


@pytest.fixture
def folder(tmp_path):
    """A Llama of a few words, as ``save_pretrained`` writes it."""
    words = ["[UNK]", "<system>", "<user>", "<assistant>", "Plan", ".", "three", "nurses", "and", "two"]
    raw = Tokenizer(models.WordLevel({w: k for k, w in enumerate(words)}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="[UNK]", pad_token="[UNK]"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(tmp_path)
    config = transformers.LlamaConfig(
        vocab_size=16, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    return str(tmp_path)


def test_hidden_states_and_logits_are_transformers(folder):
    model = LanguageModel(folder).configure()
    stock = transformers.AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.randint(0, 10, (2, 7))
    logits = model.logits(model.hidden(model.embed(ids)))
    torch.testing.assert_close(logits, stock(ids).logits)


def test_padding_on_the_left_and_a_cache_change_nothing(folder):
    model = LanguageModel(folder).configure()
    ids = torch.randint(0, 10, (1, 6))
    plain = model.hidden(model.embed(ids))
    padded = torch.cat([torch.zeros(1, 3, dtype=torch.long), ids], dim=1)
    valid = torch.tensor([[False] * 3 + [True] * 6])
    torch.testing.assert_close(model.hidden(model.embed(padded), valid)[:, 3:], plain, atol=1e-5, rtol=1e-5)
    cache = DynamicCache()
    first = model.hidden(model.embed(padded[:, :7]), valid[:, :7], cache)
    then = model.hidden(model.embed(padded[:, 7:]), valid, cache)
    torch.testing.assert_close(torch.cat([first, then], dim=1)[:, 3:], plain, atol=1e-5, rtol=1e-5)


def test_lora_changes_nothing_at_first_and_alone_is_trained(folder):
    ids = torch.randint(0, 10, (2, 5))
    plain, low = (
        LanguageModel(folder).configure(),
        LanguageModel(folder, lora=LanguageLoRA(rank=4)).configure(),
    )
    torch.testing.assert_close(low.hidden(low.embed(ids)), plain.hidden(plain.embed(ids)))
    trained = {name for name, p in low.named_parameters() if p.requires_grad}
    assert len(trained) == 2 * 2 * 7
    assert all("lora_" in name for name in trained)
    low.hidden(low.embed(ids)).sum().backward()
    assert not any(p.grad is not None for n, p in low.named_parameters() if n not in trained)
    everything = {name for name, p in plain.named_parameters() if not p.requires_grad}
    assert everything == {"network.model.embed_tokens.weight"}


def test_lora_is_trained_in_single_precision_on_a_half_precision_model(folder):
    """An update of a thousandth of a weight is less than bfloat16 can tell."""
    model = LanguageModel(folder, lora=LanguageLoRA(rank=4), dtype="bfloat16").configure()
    kinds = {p.requires_grad: p.dtype for p in model.parameters()}
    assert kinds == {True: torch.float32, False: torch.bfloat16}
    ids = torch.randint(0, 10, (2, 5))
    hidden = model.hidden(model.embed(ids))
    assert hidden.dtype == torch.bfloat16
    hidden.sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in model.parameters() if p.grad is not None)


def test_prompts_go_through_the_chat_template(folder):
    model = LanguageModel(folder, system="Plan .")
    assert (
        model.tokenizer.decode(model.prompt_ids("three nurses"))
        == "<system> Plan . <user> three nurses <assistant>"
    )
    assert model.read(model.answer_ids("two and three")) == "two and three"
    assert LanguageModel(size=SMALL).prompt_ids("Two men") == [101, 2048, 2273, 102]


def test_a_model_from_chance_has_minilms_words_where_they_fit():
    vectors = load_file(minilm.folder() / "model.safetensors")[MINILM_WORDS]
    fitting = LanguageModel(size=LanguageSize(num_hidden_layers=1)).configure()
    assert torch.equal(fitting.embed(torch.arange(30522)), vectors)
    small = LanguageModel(size=SMALL).configure()
    assert (small.width, small.words) == (32, 30522)
    assert not small.network.get_input_embeddings().weight.requires_grad
    assert small.network.get_output_embeddings().weight is small.network.get_input_embeddings().weight


def test_a_source_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="no folder with"):
        LanguageModel(str(tmp_path)).configure()


def test_a_real_part_that_nobody_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("TROUPE_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="--only smollm2"):
        LanguageModel("smollm2").configure()
