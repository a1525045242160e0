"""Grid, guard, table and curriculum around a policy whose reward rises while a hold-out falls."""

import csv
from pathlib import Path
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, MLFlowLogger
from mlflow import MlflowClient
from quiet_trainer import quiet_trainer
from torchvision.io import read_image

from callbacks.adapter_ema import AdapterEMA
from callbacks.curriculum import CurriculumLog
from callbacks.hold_out_guard import HoldOutGuard, kept_figures
from callbacks.policy_report import PolicyReport
from callbacks.sample_grid import SampleGrid
from datamodules.groups import CountCurriculum, WholeGroups
from datamodules.multi_human import MultiHumanDataModule


class Drifting(L.LightningModule):
    """A number that grows by 1 an epoch: the reward is the number, the hold-out falls from its third epoch on."""

    def __init__(self):
        super().__init__()
        self.number = torch.nn.Parameter(torch.zeros(1))
        self.automatic_optimization = False

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1.0)

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        optimizer.zero_grad()
        (-self.number.sum()).backward()
        optimizer.step()

    def validation_step(self, scenes, batch_idx):
        return scenes.images * 0.5

    def on_validation_epoch_end(self):
        number = float(self.number.detach())
        self.log_dict({"val/total": number, "val/judge": 1.0 - max(0.0, number - 3) * 0.04})


def fit(callbacks, epochs=8, resume=None, model=None, **options):
    torch.manual_seed(0)
    model = model or Drifting()
    data = MultiHumanDataModule(
        WholeGroups(1, 2), CountCurriculum(first=(2,), then=(3, 5), switch=1), val_size=5, batch_size=4
    )
    trainer = quiet_trainer(max_epochs=epochs, callbacks=callbacks, **{"num_sanity_val_steps": -1, **options})
    trainer.fit(model, data, ckpt_path=resume)
    return trainer, model


def test_the_best_honest_weights_are_kept_and_training_stops():
    """Reward 4 costs 4 % of the hold-out, 5 costs 8 %; at 7 it has been dishonest three times."""
    guard = HoldOutGuard(["val/judge"], tolerance=0.05, patience=3)
    trainer, model = fit([guard])
    assert guard.start == {"val/judge": 1.0}
    assert trainer.current_epoch == 7
    assert guard.best_value == 4.0
    assert float(model.number) == 4.0


class Spoiling(Drifting):
    """Every step costs the hold-out a tenth."""

    def on_validation_epoch_end(self):
        number = float(self.number.detach())
        self.log_dict({"val/total": number, "val/judge": 1.0 - 0.1 * number})


@pytest.mark.parametrize("average", [[], [AdapterEMA(decay=0.0)]])
def test_the_start_is_put_back_where_nothing_was_honest(average, caplog):
    guard = HoldOutGuard(["val/judge"], tolerance=0.05, patience=2)
    with caplog.at_level("WARNING"):
        trainer, model = fit([*average, guard], model=Spoiling())
    assert trainer.current_epoch == 2
    assert float(model.number) == 0
    assert all(float(ema.average["number"]) == 0 for ema in average)
    assert kept_figures(trainer) == {"val/total": 0.0, "val/judge": 1.0}
    assert "the start: its weights are put back" in caplog.text


def test_averages_are_kept_with_an_average():
    ema = AdapterEMA(decay=0.5)
    guard = HoldOutGuard(["val/judge"], tolerance=0.05, patience=3)
    _, model = fit([ema, guard], epochs=12)
    assert float(model.number) == float(ema.average["number"]) == float(guard.best["number"])
    assert guard.best_value == pytest.approx(
        float(model.number), abs=1e-5
    )  # what was validated is what is kept
    assert 3 < float(model.number) <= 4.25


def test_a_guard_goes_on_after_a_checkpoint():
    guard, again = HoldOutGuard(["val/judge"]), HoldOutGuard(["val/judge"])
    fit([guard], epochs=2)
    again.load_state_dict(guard.state_dict())
    assert again.start == guard.start
    assert again.best_figures == guard.best_figures == {"val/total": 2.0, "val/judge": 1.0}
    assert float(again.best["number"]) == 2


def test_a_guard_says_what_it_lacks():
    with pytest.raises(ValueError, match="num_sanity_val_steps"):
        fit([HoldOutGuard(["val/judge"])], num_sanity_val_steps=0)
    with pytest.raises(ValueError, match="'val/beauty' is not logged"):
        fit([HoldOutGuard(["val/beauty"])])
    for options in ({"tolerance": 1.0}, {"patience": 0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            HoldOutGuard(["val/judge"], **options)


def test_grids_show_truth_canvases_and_drawings_and_reach_mlflow(tmp_path):
    logger = MLFlowLogger(
        "grids", tracking_uri=f"sqlite:///{tmp_path / 'm.db'}", artifact_location=str(tmp_path / "a")
    )
    fit([SampleGrid(str(tmp_path / "grids"), scenes=5)], epochs=1, logger=logger)
    assert sorted(p.name for p in (tmp_path / "grids").iterdir()) == ["epoch-0000.png", "start.png"]
    grid = read_image(tmp_path / "grids" / "start.png").float() / 255
    assert grid.shape == (3, 3 * 130 + 2, 5 * 130 + 2)
    scene = MultiHumanDataModule(WholeGroups(1, 2), val_size=5).val_dataloader().dataset[4]
    truth, drawn = (grid[:, top : top + 128, 4 * 130 + 2 : 5 * 130] for top in (2, 2 * 130 + 2))
    torch.testing.assert_close(truth, scene.image, atol=1 / 255, rtol=0)
    torch.testing.assert_close(drawn, scene.image * 0.5, atol=1 / 255, rtol=0)
    found = MlflowClient(f"sqlite:///{tmp_path / 'm.db'}").list_artifacts(logger.run_id, "samples")
    assert [file.path for file in found] == ["samples/epoch-0000.png", "samples/start.png"]


def test_the_table_compares_with_the_start(capsys):
    fit([PolicyReport()], epochs=2)
    printed = capsys.readouterr().out
    assert "before training" in printed
    last = printed[printed.index("epoch 1") :]
    row = next(line for line in last.splitlines() if "total" in line)
    assert [part.strip() for part in row.split("│")[1:-1]] == ["total", "", "0.000", "2.000", "+2.000"]


def test_a_resumed_training_is_compared_with_its_start(tmp_path, capsys):
    """The sanity check of a resumed run is of weights that were trained already: it is no start."""
    first = fit([PolicyReport()], epochs=2)[0]
    first.save_checkpoint(tmp_path / "last.ckpt")
    capsys.readouterr()
    report, logger = PolicyReport(), CSVLogger(str(tmp_path), flush_logs_every_n_steps=1)
    fit([report], epochs=3, resume=tmp_path / "last.ckpt", logger=logger)
    assert report.start == {"total": 0.0, "judge": 1.0}
    printed = capsys.readouterr().out
    assert "before training" not in printed
    rows = [line.split("│") for line in printed.splitlines() if "total" in line]
    assert [[row[k].strip() for k in (3, 4, 5)] for row in rows] == [
        ["0.000", "2.000", "+2.000"],
        ["0.000", "3.000", "+3.000"],
    ]
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        assert "-1" not in [row["epoch"] for row in csv.DictReader(file)]


def test_failures_and_ratios_are_shown(capsys):
    class Watched(Drifting):
        def __init__(self):
            super().__init__()
            self.rewards = SimpleNamespace(terms={"judge": SimpleNamespace(weight=0.0)})

        def training_step(self, batch, batch_idx):
            super().training_step(batch, batch_idx)
            self.log_dict({"reward/judge/failed": 7.0, "policy/ratio_max_deviation": 0.25})

    fit([PolicyReport()], epochs=1, model=Watched())
    printed = capsys.readouterr().out
    shown = {
        line.split("│")[1].strip(): line.split("│")[4].strip() for line in printed.splitlines() if "│" in line
    }
    assert shown["scores of judge that could not be had"] == "7"
    assert shown["largest |ratio - 1| of all passes"] == "0.25"


def test_curves_begin_before_training(tmp_path):
    """Lightning logs nothing of its sanity check; the table's start goes to the loggers all the same."""
    logger = CSVLogger(str(tmp_path), flush_logs_every_n_steps=1)
    fit([PolicyReport()], epochs=2, logger=logger, check_val_every_n_epoch=2)
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        judged = [(row["epoch"], float(row["val/total"])) for row in csv.DictReader(file) if row["val/total"]]
    assert judged == [("-1", 0.0), ("1", 2.0)]


def test_the_curriculum_is_logged_and_its_switch_said(caplog):
    with caplog.at_level("INFO", logger="callbacks.curriculum"):
        trainer, _ = fit([CurriculumLog()], epochs=4)
    assert trainer.callback_metrics["curriculum/most_people"] == 5
    assert trainer.callback_metrics["curriculum/fewest_people"] == 3
    said = [record.getMessage() for record in caplog.records if record.name == "callbacks.curriculum"]
    assert said == ["epoch 0: prompts ask for (2,) people", "epoch 2: prompts ask for (3, 5) people"]
