"""The language model against transformers' own, and where it comes from."""

import pytest
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
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
        tokenizer_object=raw, unk_token="[UNK]", pad_token="[UNK]", bos_token="<s>", eos_token="</s>"
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


@pytest.mark.parametrize("tied", [True, False])
def test_scores_of_a_few_words_are_those_among_all(folder, tied):
    model = LanguageModel(folder).configure()
    if not tied:
        model.network.config.tie_word_embeddings = False
        model.network.lm_head = nn.Linear(32, 16, bias=False)
    hidden, words = torch.randn(2, 7, 32), torch.tensor([3, 4, 11])
    torch.testing.assert_close(model.logits(hidden, words), model.network.lm_head(hidden)[..., words])


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


def test_prompts_go_through_the_chat_template_if_there_is_a_system_message(folder):
    model = LanguageModel(folder, system="Plan .")
    assert (
        model.tokenizer.decode(model.prompt_ids("three nurses"))
        == "<system> Plan . <user> three nurses <assistant>"
    )
    assert model.read(model.answer_ids("two and three")) == "two and three"
    with pytest.raises(ValueError, match="no chat template"):
        LanguageModel(size=SMALL, system="Plan .").prompt_ids("three nurses")
    deaf = LanguageModel(folder, system="Plan .")
    deaf.tokenizer.chat_template = "a template without a prompt"
    with pytest.raises(ValueError, match="does not show the prompt"):
        deaf.prompt_ids("three nurses")


def test_a_bare_prompt_stands_between_the_tokens_that_begin_and_end_a_text(folder):
    model = LanguageModel(folder)
    begin, end = model.tokenizer.bos_token_id, model.tokenizer.eos_token_id
    assert model.prompt_ids("three nurses") == [begin, 6, 7, end]
    assert LanguageModel(size=SMALL).prompt_ids("Two men") == [101, 2048, 2273, 102]


@pytest.mark.parametrize("system", [None, "Plan ."])
def test_control_tokens_in_a_prompt_are_words(folder, system):
    """ "</s>" would end the text, and "[SEP]" and "[PAD]" of MiniLM's word pieces likewise."""
    model = LanguageModel(folder, system=system)
    plain, tricked = (model.prompt_ids(f"three {word} nurses") for word in ("unheard-of", "</s>"))
    assert tricked == plain
    words = LanguageModel(size=SMALL)
    for token in words.tokenizer.all_special_tokens:
        ids = words.prompt_ids(f"two {token} men {token}")
        assert not set(ids[1:-1]) & set(words.tokenizer.all_special_ids)
        assert words.read(ids[1:-1]).replace(" ", "") == f"two{token}men{token}".lower()


def test_attention_is_the_same_in_both_implementations(folder):
    fused, eager = (LanguageModel(folder, attention=name).configure() for name in ("sdpa", "eager"))
    assert eager.network.config._attn_implementation == "eager"
    ids = torch.randint(0, 10, (2, 7))
    valid = torch.ones(2, 7, dtype=torch.bool)
    valid[0, :3] = False
    for mask in (None, valid):
        ours, theirs = (model.hidden(model.embed(ids), mask) for model in (fused, eager))
        torch.testing.assert_close(ours[:, 3:], theirs[:, 3:])


def test_updates_are_multiplied_in_half_precision_under_autocast(folder):
    """And only there: elsewhere half-precision states meet single-precision updates."""
    model = LanguageModel(folder, lora=LanguageLoRA(rank=4), dtype="bfloat16").configure()
    layer = model.network.model.layers[0].mlp.up_proj
    seen = []
    layer.lora_A["default"].register_forward_hook(
        lambda _, args, out: seen.append((args[0].dtype, out.dtype))
    )
    embedded = model.embed(torch.randint(0, 10, (2, 5)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model.hidden(embedded).sum().backward()
    assert layer.lora_B["default"].weight.grad.dtype == torch.float32
    model.hidden(embedded)
    assert seen == [(torch.bfloat16, torch.bfloat16), (torch.float32, torch.float32)]


def test_merged_updates_change_nothing_but_the_time(folder):
    model = LanguageModel(folder, lora=LanguageLoRA(rank=4), dtype="bfloat16").configure()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    model.network.float()
    ids = torch.randint(0, 10, (2, 5))
    plain = model.hidden(model.embed(ids))
    layer = model.network.model.layers[0].mlp.up_proj
    for _ in range(2):
        merged = model.merge().hidden(model.embed(ids))
        assert layer.merged
        torch.testing.assert_close(merged, plain, atol=1e-4, rtol=1e-4)
    bare = LanguageModel(folder).configure()
    assert bare.merge() is bare
    assert float((bare.hidden(bare.embed(ids)) - plain).abs().max()) > 0.1, "the updates matter"


def test_updates_of_a_model_from_chance_leave_the_rest_frozen():
    model = LanguageModel(size=SMALL, lora=LanguageLoRA(rank=4)).configure()
    assert all("lora_" in name for name, p in model.named_parameters() if p.requires_grad)
    assert model.architecture == {"width": 32, "layers": 2, "rank": 4, "alpha": 32}
    assert LanguageModel(size=SMALL).configure().architecture["rank"] == 0


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
