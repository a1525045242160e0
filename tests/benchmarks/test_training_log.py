"""What a training's CSV log says, written by Lightning's own logger."""

import pytest
from lightning.pytorch.loggers import CSVLogger

from benchmarks.training_log import last_words, read_curves, read_training


@pytest.fixture
def run(tmp_path):
    logger = CSVLogger(str(tmp_path / "logs"), flush_logs_every_n_steps=1)
    logger.log_metrics({"val/face": 0.25, "val/total": 0.5, "epoch": -1}, step=0)
    for epoch in range(4):
        drawn = {
            "reward/total/mean": 0.1 * epoch,
            "reward/face/std": 9.0,
            "policy/diversity": 1.0 / (1 + epoch),
        }
        logger.log_metrics({**drawn, "epoch": epoch}, step=2 * epoch + 2)
        if epoch % 2:
            judged = {"val/face": 0.25 + 0.1 * epoch, "val/total": 0.5 + epoch, "epoch": epoch}
            logger.log_metrics(judged, step=2 * epoch + 2)
    logger.save()
    return tmp_path


def test_validated_figures_are_those_of_the_model_after_so_many_epochs(run):
    curves = read_curves(run)
    assert curves["val/face"] == [(0, 0.25), (2, 0.35), (4, pytest.approx(0.55))]
    assert [epoch for epoch, _ in curves["reward/total/mean"]] == [0, 1, 2, 3]
    assert curves["policy/diversity"][-1] == (3, 0.25)
    assert "reward/face/std" not in curves


def test_a_line_that_is_being_written_is_left_for_later(run):
    (log,) = run.rglob("metrics.csv")
    whole = log.read_text()
    log.write_text(whole[:-3])
    assert read_curves(run)["val/total"] == [(0, 0.5), (2, 1.5)]
    log.write_text(whole[:5])
    assert read_curves(run) == {}


def test_how_far_it_is_in_one_line(run, tmp_path_factory):
    trainer = {"max_epochs": 10, "max_steps": -1}
    assert last_words(run, trainer) == "epoch 4 of 10, reward 0.300, validated 3.500"
    assert last_words(tmp_path_factory.mktemp("empty"), trainer) == "starting"


def test_the_time_is_known_where_it_was_noted(run):
    assert read_training(run).seconds is None
    (run / "seconds.txt").write_text("75\n")
    assert read_training(run).seconds == 75
