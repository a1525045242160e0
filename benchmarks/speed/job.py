"""The job ``speed``: ways of doing the same, timed side by side and reported as ratios, never in seconds."""

import os
import time
from collections.abc import Mapping

import torch

from benchmarks.expectation import Expectation
from benchmarks.jobs import build
from benchmarks.recorder import Recorder
from benchmarks.report import Outcome, Row
from benchmarks.speed.rounds import CPU, FLOPS, TIMES, Case, Measured, measure
from benchmarks.suite import Ratio, Suite, SuiteError, Workload, nearest

SUMMED_UP = "median over rounds, quartiles beneath"
BUSY = 0.5  # processes beside our own that want a core, on average over a minute


class SpeedJob:
    """Runs ``kind: speed``."""

    def run(self, suite: Suite, recorder: Recorder) -> None:
        """Every workload in turn, on one thread; one that fails is named in the report and the others go on."""
        recorder.report.summed_up = SUMMED_UP
        if os.getloadavg()[0] > BUSY:
            recorder.note("The machine was busy with other work; read the ratios of times with care.")
        workloads = {name: workload for name, workload in suite.workloads.items() if workload is not None}
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            cases = {name: _cases(name, workload) for name, workload in workloads.items()}
            runs = sum(len(cases[name]) + suite.repeats * len(_timed(w)) for name, w in workloads.items())
            recorder.plan(sum(len(w.ratios) for w in workloads.values()), runs)
            for name, workload in workloads.items():
                try:
                    _measure(name, workload, cases[name], suite, recorder)
                except Exception as error:
                    recorder.fail(name, "", error)
        finally:
            torch.set_num_threads(threads)


def _cases(name: str, workload: Workload) -> dict[str, Case]:
    """The cases that the ratios name, in the order they name them."""
    key = f"workloads.{name}.cases"
    try:
        offered: Mapping[str, Case] = build(workload.cases, key).cases()
    except SuiteError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        raise SuiteError(f"{key}: {workload.cases.class_path}: {error}") from error
    chosen = {}
    for case, _ in _quantities(workload):
        if case not in offered:
            raise SuiteError(f"workloads.{name}.ratios: there is no case {case!r}{nearest(case, offered)}")
        chosen[case] = offered[case]
    return chosen


def _quantities(workload: Workload) -> list[tuple[str, str]]:
    """Case and quantity of everything the ratios name, in the order written."""
    written = [quantity for ratio in workload.ratios.values() for quantity in (ratio.over, ratio.under)]
    return [(case, what) for case, _, what in (quantity.partition(".") for quantity in written)]


def _timed(workload: Workload) -> set[str]:
    return {case for case, what in _quantities(workload) if what in TIMES}


def _measure(
    name: str, workload: Workload, cases: Mapping[str, Case], suite: Suite, recorder: Recorder
) -> None:
    began = time.monotonic()
    measured = measure(
        cases, _timed(workload), suite.repeats, lambda case: recorder.step(f"{name} {case}"[:48])
    )
    for ratio_name, ratio in workload.ratios.items():
        recorder.add(_outcome(suite.name, ratio_name, ratio, measured, time.monotonic() - began))


def _outcome(suite: str, name: str, ratio: Ratio, measured: Measured, seconds: float) -> Outcome:
    """One ratio; beside a ratio of times that of the operations."""
    names = (suite, name, ratio.description, None)
    expectation = Expectation.of(ratio.expected)
    value, low, high, n = measured.quotient(ratio.over, ratio.under)
    expected = None if expectation is None else str(expectation)
    met = None if expectation is None else expectation.met(value)
    rows = [Row(*names, "ratio", value, low, high, n, expected=expected, met=met)]
    (over, what), (under, other) = (quantity.split(".") for quantity in (ratio.over, ratio.under))
    if what == other == CPU:
        flops = measured.quotient(f"{over}.{FLOPS}", f"{under}.{FLOPS}")
        rows.append(Row(*names, "flop_ratio", flops.value, None, None, 1))
    parameters = {"over": ratio.over, "under": ratio.under, "expected": ratio.expected}
    return Outcome(name, ratio.description, parameters, rows, seconds=seconds)
