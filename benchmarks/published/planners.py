"""Where the people of a published benchmark stand, for generators that need a plan: named by ``options.planner``."""

from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

from benchmarks.published.case import Case
from datamodules.plan_files import PlanError, read_plan, row_of_faces
from datamodules.schema.layout import Layout
from lightning_modules.ar2can import planning
from lightning_modules.ar2can.architect_flow import Draft
from lightning_modules.ar2can.planning import Kind, Request

NAMES: dict[Kind, str] = {"llm": "Architect-A", "flow": "Architect-B"}


class Planner(Protocol):
    """Answers with a plan of exactly as many people as a case has references, and says where it is from."""

    def plan(self, case: Case, data: Path) -> tuple[Layout, str]:
        """A layout of one scene, people in the order of their references, and a word or two on its origin.

        Args:
            case: what is asked for.
            data: folder of the benchmark.

        Raises:
            PlanError: if there is no such plan; the case is then not drawn, and named.
        """
        ...


class RowOfFaces:
    """Everybody in a row, as ``lightning_modules.ar2can.generate`` does without a plan."""

    def plan(self, case: Case, data: Path) -> tuple[Layout, str]:
        """Side by side, left to right."""
        return row_of_faces(case.people), "a row of faces"


class PlanFiles:
    """Plans written before, by hand or by any Architect: ``<case>.json`` in one folder (``datamodules.plan_files``).

    Args:
        folder: absolute, or relative to the benchmark's folder.
        otherwise: a case without a plan stands in a ``row``, or is not drawn (``refuse``).
    """

    def __init__(self, folder: str = "plans", otherwise: Literal["row", "refuse"] = "row") -> None:
        self.folder, self.otherwise = folder, _checked(otherwise)

    def plan(self, case: Case, data: Path) -> tuple[Layout, str]:
        """The plan of the file."""
        path = data / self.folder / f"{case.key}.json"
        if not path.is_file():
            return _instead(case, self.otherwise, f"there is no plan {path}")
        layout = read_plan(path)
        planned = int(layout.counts()[0])
        if planned != case.people:
            raise PlanError(f"{path}: plans {planned} people, but the case has {case.people} references")
        return layout, "plan files"


class Architect:
    """One of Ar2Can's Architects reads the prompt (``lightning_modules.ar2can.planning``).

    Args:
        kind: ``llm`` is Architect-A, ``flow`` Architect-B.
        config: its training configuration; the tiny one by default.
        weights: what it was trained to; by default the shipped file of the configuration's name.
        redraws: how often Architect-B draws anew what cannot be used.
        otherwise: a case for which it plans another number of people, or nothing, stands in a ``row`` or is not drawn
            (``refuse``).
    """

    def __init__(
        self,
        kind: Kind = "llm",
        config: str | None = None,
        weights: str | None = None,
        redraws: int = 0,
        otherwise: Literal["row", "refuse"] = "refuse",
    ) -> None:
        self.otherwise = _checked(otherwise)
        self.request = Request(kind, None if config is None else Path(config), weights, redraws=redraws)
        self.architect = planning.architect(self.request)

    def plan(self, case: Case, data: Path) -> tuple[Layout, str]:
        """People from left to right."""
        request = replace(self.request, people=case.people)
        try:
            answer = planning.plan_prompt(self.architect, case.prompt, request)
            drawn = answer.answer if isinstance(answer, Draft) else answer
            layout = planning.layout_of(case.prompt, drawn)
        except PlanError as error:
            return _instead(case, self.otherwise, str(error))
        return layout, NAMES[self.request.kind]


def _instead(case: Case, otherwise: str, reason: str) -> tuple[Layout, str]:
    if otherwise == "refuse":
        raise PlanError(reason)
    return row_of_faces(case.people), "a row of faces instead of a plan"


def _checked(otherwise: Literal["row", "refuse"]) -> Literal["row", "refuse"]:
    if otherwise not in {"row", "refuse"}:
        raise ValueError(f"otherwise: {otherwise!r}; choose row or refuse")
    return otherwise
