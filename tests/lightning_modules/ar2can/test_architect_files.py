"""What an Architect's training leaves behind: weights that a fresh model answers with, their size, and a true card."""

import json
import sys
from types import SimpleNamespace

import pytest
import torch
import yaml
from lightning.pytorch.callbacks import Timer
from safetensors.torch import load_file
from small_architects import known_examples, learn_by_heart, small_adapter, write_llama

from lightning_modules.ar2can.architect_llm import ArchitectLLMModule
from lightning_modules.ar2can.architect_recipe import check_half
from lightning_modules.configured import CONFIGS
from lightning_modules.language.model import LanguageLoRA, LanguageModel
from lightning_modules.language.sources import LanguageSize
from rewards.command import training_command

PROMPTS = [e.prompt for e in known_examples()]
MAX_BYTES = 25 * 2**20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """An adapter after some steps, and its file."""
    target = tmp_path_factory.mktemp("weights")
    module = small_adapter(folder, export_name="adapter")
    learn_by_heart(module, 150, 1e-2)
    module._trainer = SimpleNamespace(
        datamodule=SimpleNamespace(n_train=6, batch_size=6), callback_metrics={"val/ce": torch.tensor(0.5)},
        global_step=150,
    )  # fmt: skip
    module.seed = 3
    module.export(target)
    module._trainer = None
    return module.eval(), target / "adapter.safetensors"


def test_an_adapter_answers_alike_after_it_was_written_and_read(folder, trained):
    module, path = trained
    fresh = small_adapter(folder, seed=1).eval()
    before = fresh.plan(PROMPTS)
    fresh.load_trained(path)
    answers, again = module.plan(PROMPTS), fresh.plan(PROMPTS)
    assert [a.tally for a in before] != [a.tally for a in answers]
    assert [a.tally for a in answers] == [e.tally for e in known_examples()], "it learned what it answers"
    for ours, theirs in zip(answers, again, strict=True):
        assert (ours.tally, ours.refusal, ours.mended) == (theirs.tally, theirs.refusal, theirs.mended)
        torch.testing.assert_close(ours.boxes, theirs.boxes, atol=5e-3, rtol=0)


def test_training_goes_on_from_what_a_training_left_behind(folder, trained, tmp_path):
    stored = load_file(trained[1])
    started = small_adapter(folder, seed=1, start=str(trained[1]))
    assert all(torch.equal(v, stored[name].float()) for name, v in started.trained().items())
    with pytest.raises(ValueError, match="rank is 8 in its card and 4"):
        small_adapter(folder, rank=4, start=str(trained[1]))
    with pytest.raises(ValueError, match="no such file"):
        small_adapter(folder, start=str(tmp_path / "nowhere.safetensors"))


def test_a_file_holds_what_was_trained_in_half_precision(trained):
    module, path = trained
    tensors = load_file(path)
    assert all(value.dtype == torch.float16 for value in tensors.values())
    assert all("lora_" in k or k.startswith(("heads.", "layout_rows")) for k in tensors)
    assert sum("lora_" in name for name in tensors) == 2 * 2 * 7
    assert set(tensors) == {name for name, p in module.named_parameters() if p.requires_grad}


def test_updates_of_another_rank_or_scale_are_refused(folder, trained):
    with pytest.raises(ValueError, match="alpha is 16 in its card and 32"):
        small_adapter(folder, alpha=32).load_trained(trained[1])
    with pytest.raises(ValueError, match="rank is 8 in its card and 4"):
        small_adapter(folder, rank=4).load_trained(trained[1])


def test_a_diverged_training_is_not_written():
    check_half({"fine": torch.tensor([65504.0, 1e-9])})
    for value in (float("nan"), float("inf"), 70000.0):
        with pytest.raises(ValueError, match="broken: is not finite in half precision"):
            check_half({"fine": torch.zeros(1), "broken": torch.tensor([value])})


def test_a_card_says_what_was_typed(trained):
    card = json.loads(trained[1].with_suffix(".json").read_text())
    assert card["command"] == training_command()
    assert "pytest" in card["command"]
    assert card["data"] == "6 drawn prompts of the train split, in batches of 6"
    assert (card["seed"], card["steps"], card["metrics"]) == (3, 150, {"val/ce": 0.5})
    assert card["architecture"] == {"width": 64, "layers": 2, "rank": 8, "alpha": 16}


@pytest.mark.parametrize(
    "resumed", [["--ckpt_path", "last"], ["--ckpt_path=last"], ["ckpt_path=last"], []], ids=" ".join
)
def test_the_command_is_the_configuration_really_used(monkeypatch, tmp_path, resumed):
    main = SimpleNamespace(__spec__=SimpleNamespace(name="lightning_modules.cli"))
    monkeypatch.setitem(sys.modules, "__main__", main)
    typed = [
        "fit",
        "-c",
        f"{tmp_path}/configs/ar2can/architect_smollm2.yaml",
        *resumed,
        "trainer.max_steps=3",
    ]
    monkeypatch.setattr(sys, "argv", ["/somewhere/cli.py", *typed])
    assert training_command(tmp_path) == (
        "python -m lightning_modules.cli fit -c configs/ar2can/architect_smollm2.yaml trainer.max_steps=3"
    )


@pytest.mark.parametrize(("name", "mib"), [("architect_tiny", 13.6), ("architect_smollm2", 15.7)])
def test_files_of_the_configurations_are_small_enough_to_ship(name, mib):
    """Networks of their sizes on the meta device; two bytes per trained number."""
    settings = yaml.safe_load((CONFIGS / "ar2can" / f"{name}.yaml").read_text())["model"]["init_args"]
    described = settings["language"]["init_args"]
    lora = described["lora"] and LanguageLoRA(**described["lora"])
    with torch.device("meta"):
        language = LanguageModel(size=LanguageSize(**described["size"]), lora=lora)
        module = ArchitectLLMModule(language)
        module.configure_model()
    size = 2 * sum(value.numel() for value in module.trained().values())
    assert size <= MAX_BYTES
    assert size / 2**20 == pytest.approx(mib, abs=0.1)


@pytest.mark.parametrize(
    ("name", "weight"), [("architect_tiny", 3.0), ("architect_smollm2", 3.0), ("architect_paper", 1.0)]
)
def test_configurations_weigh_the_tally_and_keep_checkpoints(name, weight):
    content = yaml.safe_load((CONFIGS / "ar2can" / f"{name}.yaml").read_text())
    model, trainer = content["model"]["init_args"], content["trainer"]
    assert model["recipe"]["tally_weight"] == weight
    assert model["tally"] == (name != "architect_paper")
    assert trainer["max_steps"] % trainer["val_check_interval"] == 0, "the last validation exports the end"
    (checkpoint,) = trainer["callbacks"]
    assert checkpoint["init_args"]["save_last"]
    assert checkpoint["init_args"]["every_n_train_steps"] * 10 <= trainer["max_steps"]
    system = model["language"]["init_args"].get("system")
    assert (system is None) == (name != "architect_paper"), "a bare prompt is fewer tokens"


def test_architect_b_trains_half_an_hour_at_most():
    content = yaml.safe_load((CONFIGS / "ar2can" / "architect_b_tiny.yaml").read_text())
    timer = Timer(content["trainer"]["max_time"])
    assert timer.time_remaining() == 30 * 60
