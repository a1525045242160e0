"""Phases by steps and by plateau, against a module that logs a figure written down beforehand."""

import logging

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from torch import nn
from torch.utils.data import DataLoader

from callbacks.phase_schedule import PhaseSchedule, Plateau


class Falling(L.LightningModule):
    """Logs the next of the given figures at each validation."""

    def __init__(self, figures=()):
        super().__init__()
        self.line, self.figures = nn.Linear(1, 1), list(figures)
        self.phase, self.phases = "", []

    def set_phase(self, name):
        self.phase = name

    def training_step(self, batch, batch_idx):
        self.phases.append(self.phase)
        return self.line(batch).square().mean()

    def validation_step(self, batch, batch_idx):
        if self.figures and not self.trainer.sanity_checking:
            self.log("val/loss", self.figures.pop(0))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(module, schedule, steps=40, folder=None):
    trainer = quiet_trainer(
        max_steps=-1, max_epochs=1, val_check_interval=2, callbacks=[schedule], default_root_dir=folder
    )
    trainer.fit(module, DataLoader(torch.ones(steps, 1)), DataLoader(torch.ones(1, 1)))
    return trainer


def test_phases_go_by_steps_and_empty_ones_are_left_out(tmp_path, caplog):
    module = Falling()
    with caplog.at_level(logging.INFO, logger="callbacks.phase_schedule"):
        trainer = fit(module, PhaseSchedule({"first": 3, "none": 0, "last": 4}), folder=tmp_path)
    assert module.phases == ["first"] * 3 + ["last"] * 4
    assert trainer.global_step == 7
    assert "step 3: phase 'first' ends, 'last' begins" in caplog.text


def test_a_plateau_ends_a_phase_and_steps_end_it_if_there_is_none(tmp_path):
    """Validated every 2 steps; 0.9 is an improvement, 0.89 within 0.05 of it is none, nor is 1.0."""
    module = Falling([1.0, 0.9, 0.89, 1.0, 0.5, 0.4, 0.3])
    schedule = PhaseSchedule({"first": 30, "last": 5}, {"first": "val/loss"}, Plateau(2, min_delta=0.05))
    fit(module, schedule, folder=tmp_path)
    assert module.phases == ["first"] * 8 + ["last"] * 5


def test_each_phase_watches_its_own_best(tmp_path):
    module = Falling([0.5, 0.6, 2.0, 1.0, 0.9, 0.95])
    fit(
        module,
        PhaseSchedule({"a": 30, "b": 30}, {"a": "val/loss", "b": "val/loss"}, Plateau(1)),
        folder=tmp_path,
    )
    assert module.phases == ["a"] * 4 + ["b"] * 8


def test_the_state_goes_on_inside_a_phase(tmp_path):
    schedule = PhaseSchedule({"first": 3, "last": 9}, {"last": "val/loss"}, Plateau(3))
    fit(Falling([0.5, 0.6, 0.7, 0.8, 0.9]), schedule, steps=7, folder=tmp_path)
    assert schedule.state_dict() == {"phase": "last", "began": 3, "waited": 1, "best": pytest.approx(0.6)}
    again = PhaseSchedule({"first": 3, "last": 9}, {"last": "val/loss"}, Plateau(3))
    again.load_state_dict(schedule.state_dict())
    assert (again.phase, again.state_dict()) == ("last", schedule.state_dict())
    later = PhaseSchedule({"before": 2, "first": 3, "last": 20})
    later.load_state_dict(schedule.state_dict())
    assert later.phase == "last"
    with pytest.raises(ValueError, match="checkpoint is in phase 'last'; give it steps"):
        PhaseSchedule({"first": 3}).load_state_dict(schedule.state_dict())
    through = PhaseSchedule({"first": 3})
    through.load_state_dict({**schedule.state_dict(), "phase": None})
    assert through.over


def test_bad_schedules_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="steps"):
        PhaseSchedule({"a": 0})
    with pytest.raises(ValueError, match="no phase 'b'"):
        PhaseSchedule({"a": 1}, {"b": "val/loss"})
    with pytest.raises(ValueError, match="patience: 0"):
        Plateau(0)
    with pytest.raises(ValueError, match="'val/loss' is not logged"):
        fit(Falling(), PhaseSchedule({"a": 9}, {"a": "val/loss"}), folder=tmp_path)

    class Plain(Falling):
        set_phase = None

    with pytest.raises(TypeError, match="Plain"):
        fit(Plain(), PhaseSchedule({"a": 1}), folder=tmp_path)
