"""Judges of a suite in front of a published benchmark's cases."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.files import UnreadableError, read_image
from benchmarks.panel import Panel
from benchmarks.published.asked import Asked
from benchmarks.published.case import Case
from benchmarks.suite import Suite, SuiteError
from datamodules.schema.interfaces import Analyzer


class CaseJudge:
    """Judges images of cases; each reference and each true image is looked at once, however many models draw it.

    Args:
        panel: the judges.
        suite: names them.

    Raises:
        SuiteError: if there is no analyzer, or the scorer for questions cannot be asked any.
    """

    def __init__(self, panel: Panel, suite: Suite) -> None:
        if panel.analyzer is None:
            raise SuiteError("analyzer: a published benchmark needs one that finds and embeds faces")
        asked = panel.scorers.get("actions")
        if asked is not None and not hasattr(asked, "answers"):
            raise SuiteError(
                f"scorers.actions: {type(asked).__name__} cannot be asked questions; "
                "rewards.scorers.vlm_judge.VLMJudge can"
            )
        self.panel, self.max_pixels, self.names = panel, suite.images.max_pixels, judges(suite)
        self.analyzer: Analyzer = panel.analyzer
        self._references: dict[Path, Float[Tensor, " d"] | str] = {}
        self._truths: dict[Path, Float[Tensor, "o d"] | None] = {}

    def check(self, case: Case) -> None:
        """Look at one reference, so that an analyzer whose models are missing is named before anything is drawn.

        Raises:
            SuiteError: if the analyzer cannot be used.
        """
        try:
            self._reference(case.references[0])
        except (OSError, ImportError, ValueError) as error:
            raise SuiteError(f"analyzer: {error}") from error

    def judge(
        self, case: Case, image: Float[Tensor, "3 h w"]
    ) -> tuple[Mapping[str, float | None], list[str]]:
        """All figures of an image, and what is to be said about them."""
        references, notes = self._people(case)
        truth, truth_faces = self._truth(case, notes)
        asked = Asked(references, truth, truth_faces, case.questions, case.is_complex)
        figures, said = self.panel.judge_case(image, case.prompt, case.people, asked)
        return figures, [*notes, *said]

    def _people(self, case: Case) -> tuple[Float[Tensor, "n d"] | None, list[str]]:
        """Embeddings of the references; none at all if one cannot be had, and why."""
        found = [self._reference(path) for path in case.references]
        notes = [
            f"reference {path.name}: {reason}"
            for path, reason in zip(case.references, found, strict=True)
            if isinstance(reason, str)
        ]
        if notes:
            return None, notes
        return torch.stack([face for face in found if isinstance(face, Tensor)]), notes

    @torch.no_grad()
    def _reference(self, path: Path) -> Float[Tensor, " d"] | str:
        """The embedding of a reference, or why there is none."""
        if path not in self._references:
            try:
                view, _ = read_image(path, self.max_pixels)
                face = self.analyzer.embed_faces(view[None])[0].cpu()
                usable = bool(face.isfinite().all() and face.any())
                self._references[path] = face if usable else "shows no face, so identity is undefined"
            except UnreadableError as error:
                self._references[path] = f"{error}, so identity is undefined"
        return self._references[path]

    @torch.no_grad()
    def _truth(
        self, case: Case, notes: list[str]
    ) -> tuple[Float[Tensor, "3 h w"] | None, Float[Tensor, "o d"] | None]:
        """The true image and its faces."""
        if case.truth is None:
            return None, None
        try:
            image, _ = read_image(case.truth, self.max_pixels)
        except UnreadableError as error:
            notes.append(f"{case.truth.name}: {error}, so nothing is compared with it")
            return None, None
        if case.truth not in self._truths:
            self._truths[case.truth] = self.analyzer.analyze(image[None])[0].embeddings
        faces = self._truths[case.truth]
        if faces is None or not len(faces):
            notes.append(f"{case.truth.name}: shows no face, so similarity to it is undefined")
        return image, faces


def judges(suite: Suite) -> dict[str, str]:
    """Which detector, embedder and encoders a result rests on: class path and arguments, by name."""
    components: dict[str, Any] = {"analyzer": suite.analyzer, **suite.scorers}
    return {
        name: component.class_path + (f" {component.init_args}" if component.init_args else "")
        for name, component in components.items()
        if component is not None
    }
