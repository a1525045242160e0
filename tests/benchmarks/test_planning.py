"""Figure D.1's job: every planner trained per seed, asked the same prompts, its losses drawn over steps."""

import json

import pytest
import yaml
from lightning.pytorch.loggers import CSVLogger

from benchmarks.planning import TrainedArchitect, _weights_path, plan_figures
from benchmarks.run import main
from benchmarks.suite_file import load_suite
from benchmarks.training_log import last_words, read_training
from datamodules.plans.examples import draw_example
from lightning_modules.ar2can.layout_decoding import Answer


def suite(tmp_path, **changes):
    written = {
        "kind": "benchmarks.planning.PlanningJob",
        "description": "two planners",
        "seeds": [0, 1],
        "options": {"splits": ["val", "test_compositions"], "prompts": 20},
        "methods": {
            "knows": {"generator": "known_planner.KnownPlanner"},
            "forgets": {
                "generator": {"class_path": "known_planner.KnownPlanner", "init_args": {"missing": 1}}
            },
        },
        **changes,
    }
    path = tmp_path / "planners.yaml"
    path.write_text(yaml.safe_dump(written))
    return str(path)


def test_planners_are_trained_asked_and_drawn(tmp_path):
    assert main(["--suite", suite(tmp_path), "--output", str(tmp_path / "out")]) == 0
    rows = json.loads((tmp_path / "out" / "report.json").read_text())["rows"]

    def value(method, metric, part="all"):
        (row,) = [
            r
            for r in rows
            if (r["method"], r["metric"], r["slice"], r["seed"]) == (method, metric, part, None)
        ]
        return row["value"]

    assert value("knows", "plan_exact") == value("knows", "plan_exact", "split=val") == 1
    assert value("knows", "plan_iou") == pytest.approx(1, abs=1e-3), "compared from left to right"
    assert value("forgets", "plan_exact") == 0
    alone = [
        e for s in ("val", "test_compositions") for k in range(20) if (e := draw_example(k, s)).count == 1
    ]
    assert value("forgets", "plan_refused", "people=1") == 1
    assert alone
    assert value("knows", "training_minutes") == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "L1 distance, training" in page
    assert "Loss, validated" in page
    assert "steps" in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"splits": ["nowhere"]}}, "there is no split 'nowhere'"),
        ({"options": {"prompts": 0}}, "at least one prompt"),
        ({"methods": {"m": {"generator": "benchmarks.ceilings.Renders"}}}, "cannot train and plan"),
        (
            {
                "methods": {
                    "m": {
                        "generator": {
                            "class_path": "known_planner.KnownPlanner",
                            "init_args": {"missing": -1},
                        }
                    }
                }
            },
            "missing: -1",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, capsys, changes, message):
    assert main(["--suite", suite(tmp_path, **changes), "--output", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_prompts_without_a_number_are_left_out():
    example = next(e for k in range(200) if (e := draw_example(k, "val")).count is None)
    assert set(plan_figures(example, Answer(refusal="open")).values()) == {None}


def test_figure_d1_trains_what_its_suite_says(tmp_path):
    found, _ = load_suite("figure_d1")
    made = {
        name: TrainedArchitect(**{**method.generator.init_args, "folder": str(tmp_path)})
        for name, method in found.methods.items()
    }
    written = {name: planner.run.written(2) for name, planner in made.items()}
    for configuration in written.values():
        assert configuration["trainer"]["max_steps"] == 320
        assert configuration["data"]["init_args"]["seed"] == configuration["seed_everything"] == 2
    sorts = {name: w["data"]["init_args"].pop("sort") for name, w in written.items()}
    assert sorts == {"sorted": True, "unsorted": False}
    assert written["sorted"] == written["unsorted"], "nothing else differs"
    assert _weights_path(written["sorted"]) == "runs/architect_tiny/weights/architect_tiny.safetensors"
    written["sorted"]["model"]["init_args"]["recipe"]["export_folder"] = None
    with pytest.raises(ValueError, match="export_folder"):
        _weights_path(written["sorted"])
    with pytest.raises(RuntimeError, match="call train"):
        made["sorted"].plan(["two friends"])


def test_losses_are_read_over_steps(tmp_path):
    logger = CSVLogger(str(tmp_path / "logs"), flush_logs_every_n_steps=1)
    for step in (19, 39):
        logger.log_metrics({"train/loss": 1.0 / (step + 1), "train/ce": 0.5, "epoch": 0}, step=step)
    logger.log_metrics({"val/loss": 0.25, "epoch": 0}, step=39)
    logger.save()
    training = read_training(tmp_path, "steps")
    assert training.unit == "steps"
    assert training.curves["train/loss"] == [(20, 0.05), (40, 0.025)]
    assert training.curves["val/loss"] == [(40, 0.25)]
    assert last_words(tmp_path, {"max_epochs": None, "max_steps": 60}) == "step 40 of 60, loss 0.025"
