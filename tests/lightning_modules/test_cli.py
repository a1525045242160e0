import re
import subprocess
import sys
import textwrap

import pytest
import torch
import yaml

from lightning_modules.cli import TroupeCLI, configuration, main, with_dashes
from lightning_modules.config_errors import in_one_line, nearest, with_suggestion

TOY = """
from dataclasses import dataclass

import lightning as L
import torch
from torch.utils.data import DataLoader


@dataclass
class Size:
    width: int = 4


class Reward(torch.nn.Module):
    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight


class Method(L.LightningModule):
    def __init__(
        self, dim: int = 4, lr: float = 0.1, size: Size | None = None, rewards: list[Reward] | None = None,
        part: torch.nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.lr, self.rewards, self.part = lr, rewards, part
        self.layer = torch.nn.Linear(dim, 1)

    def training_step(self, batch, batch_idx):
        return self.layer(batch).square().mean()

    def validation_step(self, batch, batch_idx):
        self.log("loss", self.layer(batch).square().mean())

    def test_step(self, batch, batch_idx):
        self.log("loss", self.layer(batch).square().mean())

    def predict_step(self, batch, batch_idx):
        return self.layer(batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.lr)


class Data(L.LightningDataModule):
    def __init__(self, dim: int = 4, batch_size: int = 2) -> None:
        super().__init__()
        self.dim, self.batch_size = dim, batch_size

    def loader(self):
        return DataLoader(torch.randn(8, self.dim), batch_size=self.batch_size)

    train_dataloader = val_dataloader = test_dataloader = predict_dataloader = loader
"""
HARDWARE = """
seed_everything: 3
trainer: {accelerator: cpu, devices: 1, logger: false, enable_progress_bar: false, enable_checkpointing: false,
          enable_model_summary: false}
data: {class_path: toy.Data, init_args: {dim: 6}}
"""
METHOD = """
trainer: {max_steps: "${seed_everything}"}
model:
  class_path: toy.Method
  init_args:
    dim: ${data.init_args.dim}
    size: {width: 5}
    rewards:
      - {class_path: toy.Reward, init_args: {weight: "${model.init_args.lr}"}}
      - toy.Reward
    part: parts/linear.yaml
"""
PART = "class_path: torch.nn.Linear\ninit_args: {in_features: 2, out_features: 3}\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "hardware.yaml").write_text(HARDWARE)
    (tmp_path / "method.yaml").write_text(METHOD)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "linear.yaml").write_text(PART)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "argv", ["cli"])
    yield tmp_path
    sys.modules.pop("toy", None)


COMMON = ["-c", "hardware.yaml", "-c", "method.yaml"]


def printed(capsys, *args) -> dict:
    with pytest.raises(SystemExit) as stopped:
        main([*args, "--print_config"])
    assert stopped.value.code == 0
    return yaml.safe_load(capsys.readouterr().out)


def refused(capsys, *args) -> str:
    """The one line that a refused command prints."""
    with pytest.raises(SystemExit) as stopped:
        main(args)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("error: ")
    return captured.err


def test_interpolation_works_across_files_into_lists_and_sub_files(here, capsys):
    config = printed(capsys, "fit", *COMMON, "model.init_args.lr=0.25")
    assert config["trainer"]["max_steps"] == 3
    model = config["model"]["init_args"]
    assert (model["dim"], model["size"]["width"]) == (6, 5)
    assert model["rewards"][0]["init_args"]["weight"] == 0.25
    assert model["rewards"][1]["init_args"]["weight"] == 1.0
    assert model["part"]["init_args"]["out_features"] == 3


def test_overrides_win_and_may_refer_to_files(here, capsys):
    config = printed(
        capsys, "fit", *COMMON, "trainer.max_steps=${data.init_args.batch_size}", "seed_everything=9"
    )
    assert config["trainer"]["max_steps"] == 2
    assert config["seed_everything"] == 9


def test_a_configuration_is_read_without_building_anything(here, capsys):
    """The same as ``--print_config`` shows, and enough to run from."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    written = configuration([*COMMON, "model.init_args.lr=0.25"])
    assert torch.equal(torch.rand(3), expected), "the process keeps its randomness"
    shown = printed(capsys, "fit", *COMMON, "model.init_args.lr=0.25")
    assert {k: v for k, v in written.items() if v} == {k: v for k, v in shown.items() if v}
    (here / "written.yaml").write_text(yaml.safe_dump({k: v for k, v in written.items() if v is not None}))
    assert TroupeCLI(["fit", "-c", "written.yaml"]).model.lr == 0.25


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("model.init_args.lrr=1", "unknown key 'lrr'; did you mean 'lr'?"),
        ("trainer.max_steps=many", "trainer.max_steps: Expected a <class 'int'>"),
        ("trainer.max_steps=${seed_everythin}", "trainer.max_steps refers to ${seed_everythin}"),
        ("-c=nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_a_configuration_that_no_run_accepts_is_refused_in_one_line(here, capsys, change, words):
    with pytest.raises(ValueError, match=re.escape(words)) as refusal:
        configuration([*COMMON, change])
    assert "\n" not in str(refusal.value)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["fit", "validate", "test", "predict"])
def test_commands_run(here, command):
    steps = ["trainer.max_steps=2"] if command == "fit" else ["trainer.max_steps=-1"]
    cli = TroupeCLI([command, *COMMON, *steps])
    assert cli.model.layer.in_features == 6
    assert isinstance(cli.model.part, torch.nn.Linear)
    assert cli.trainer.global_step == (2 if command == "fit" else 0)
    if command in {"validate", "test"}:
        assert cli.trainer.callback_metrics["loss"] > 0


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ("trainer: {max_epoch: 3}", ["'trainer.max_epoch'", "did you mean 'trainer.max_epochs'?"]),
        ("modell: {lr: 3}", ["'modell.lr'", "did you mean 'model'?"]),
        ("model: {init_args: {lrr: 3}}", ["'lrr'", "toy.Method", "did you mean 'lr'?"]),
        (
            "model: {init_args: {size: {widht: 3}}}",
            ["model: toy.Method: size: toy.Size: unknown key 'widht'; did you mean 'width'?"],
        ),
        (
            "model: {init_args: {rewards: [{class_path: toy.Reward, init_args: {wieght: 1}}]}}",
            ["'wieght'", "toy.Reward", "did you mean 'weight'?"],
        ),
        ("model: {class_path: toy.Methud}", ["Methud", "did you mean 'Method'?"]),
        ("trainer: {max_epochs: abc}", ["trainer.max_epochs", "Expected a <class 'int'>", "abc"]),
        (
            "trainer: {max_epochs: '${seed_everythin}'}",
            ["trainer.max_epochs refers to ${seed_everythin}", "did you mean 'seed_everything'?"],
        ),
        (
            "trainer: {callbacks: [{class_path: lightning.pytorch.callbacks.ModelCheckpoint, init_args: {dirpth: x}}]}",
            ["'dirpth'", "did you mean 'dirpath'?"],
        ),
        (
            "trainer: {strategy: {class_path: lightning_modules.sharding.zero_strategy.ZeroStrategy,"
            " init_args: {stge: 3}}}",
            ["'stge'", "ZeroStrategy", "did you mean 'stage'?"],
        ),
    ],
)
def test_a_mistake_in_a_file_is_named_with_the_nearest_valid_key(here, capsys, extra, names):
    (here / "extra.yaml").write_text(extra)
    message = refused(capsys, "fit", *COMMON, "-c", "extra.yaml")
    for name in names:
        assert name in message


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("trainer.max_step=3", ["'trainer.max_step'", "did you mean 'trainer.max_steps'?"]),
        ("max_steps=3", ["'max_steps'", "did you mean 'trainer.max_steps'?"]),
        ("model.init_args.lrr=3", ["'lrr'", "did you mean 'lr'?"]),
        ("--nope", ["'nope'", "accepted here: ", "trainer"]),
    ],
)
def test_a_mistake_on_the_command_line_is_named(here, capsys, override, names):
    message = refused(capsys, "fit", *COMMON, override)
    for name in names:
        assert name in message


def test_missing_file_and_missing_command_are_named(here, capsys):
    assert "nowhere.yaml" in refused(capsys, "fit", "-c", "nowhere.yaml")
    assert "{fit,validate,test,predict}" in refused(capsys)


def test_cpu_default_never_imports_deepspeed(here, repository):
    """The whole path of a CPU training, in a process of its own."""
    program = textwrap.dedent(f"""
        import sys
        from lightning_modules.cli import main
        main(["fit", "-c", "hardware.yaml", "-c", "{repository}/configs/trainer/cpu.yaml", "-c", "method.yaml",
              "trainer.max_steps=1"])
        assert "lightning_modules" in sys.modules
        loaded = sorted(name for name in sys.modules if name.split(".")[0] == "deepspeed")
        sys.exit(f"deepspeed was imported: {{loaded[:3]}}" if loaded else 0)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=here, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_values_of_options_stay_untouched():
    assert with_dashes(["fit", "--config", "a=b.yaml", "-c", "c=d.yaml", "k.l=1", "k+=2", "--m=n=o"]) == [
        "fit",
        "--config",
        "a=b.yaml",
        "-c",
        "c=d.yaml",
        "--k.l=1",
        "--k+=2",
        "--m=n=o",
    ]
    assert with_dashes(["--print_config", "a=1"]) == ["--print_config", "--a=1"]


def test_nearest_compares_the_first_unknown_part_with_its_siblings():
    keys = ["trainer", "trainer.max_epochs", "trainer.logger", "model", "data"]
    assert nearest("trainer.max_epoch", keys) == "did you mean 'trainer.max_epochs'?"
    assert nearest("trainr.max_epochs", keys) == "did you mean 'trainer'?"
    assert nearest("trainer.zzz", keys) == "accepted here: logger, max_epochs"
    assert nearest("zzz", []) == "accepted here: nothing"


def test_other_messages_stay_as_they_are():
    assert with_suggestion("Expected a <class 'int'>", ["a"]) == "Expected a <class 'int'>"
    assert in_one_line("Parser key \"a\":\n  Expected a <class 'int'>. Got value: x") == (
        "a: Expected a <class 'int'>. Got value: x"
    )
