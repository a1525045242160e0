"""How good are people put into a given scene: the figures of SkeleGuide's Table 1, each named after who judged.

FID, KID, CLIP score and HPS stand for particular networks. With the tiny judges the same places in the table are filled
by ``frechet_tiny``, ``image_text_tiny`` and so on: they compare methods within one report and nothing else.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.interfaces import Scorer
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.evaluation.background import background_perceptual, background_psnr, background_ssim
from rewards.evaluation.features import FeatureExtractor, TinyFeatures
from rewards.evaluation.perceptual import PerceptualDistance, TinyPerceptual
from rewards.evaluation.person_region import AnalyzerMasks, PersonSegmenter, person_scores
from rewards.scorers.clip import CLIPScorer
from rewards.scorers.tiny import TinyImageTextScorer, TinyQualityJudge

_NAMES = {
    "TinyImageTextScorer": "image_text_tiny",
    "TinyQualityScorer": "quality_scorer_tiny",
    "TinyQualityJudge": "quality_judge_tiny",
    "HPSv2Scorer": "hpsv2",
    "HPSv3Scorer": "hpsv3",
}
COLUMNS = ("FID", "KID", "CS", "PSNR", "SSIM", "LPIPS", "HPS")
"""Table 1's columns, in its order; Elo comes from people (``rewards.evaluation.judgements``)."""
PAPER = dict(zip(COLUMNS, (15.48, 0.0014, 25.34, 25.61, 0.885, 0.075, 0.227), strict=True))
"""SkeleGuide's own row."""
_OF_THE_PAPER = {
    "FID": "frechet_inception",
    "KID": "kernel_inception",
    "CS": "clip_score_",
    "PSNR": "background_psnr",
    "SSIM": "background_ssim",
    "LPIPS": "background_lpips_",
    "HPS": "person_hpsv2",
}


class InPlaceJudges:
    """Who judges; the tiny world's own by default.

    Args:
        features: for the distances of sets of images.
        text: agreement of image and prompt, a cosine: ``CLIPScorer`` for the CLIP score.
        perceptual: for the background.
        people: finds the people of generated images.
        preference: of the part that shows people: ``HPSv2Scorer`` for HPS.

    Raises:
        ValueError: if ``text`` is a scaled ``CLIPScorer``, which gives no cosine.
    """

    def __init__(
        self,
        features: FeatureExtractor | None = None,
        text: Scorer | None = None,
        perceptual: PerceptualDistance | None = None,
        people: PersonSegmenter | None = None,
        preference: Scorer | None = None,
    ) -> None:
        if isinstance(text, CLIPScorer) and text.logit_scale:
            raise ValueError("text: a CLIP score is 100 times the cosine; leave logit_scale out")
        self.features = features or TinyFeatures()
        self.text, self.preference = text or TinyImageTextScorer(), preference or TinyQualityJudge()
        self.perceptual = perceptual or TinyPerceptual()
        self.people = people or AnalyzerMasks(TinyAnalyzer())

    def names(self) -> dict[str, str]:
        """Which figure of these judges stands in which column of the table."""
        tiny = isinstance(self.people, AnalyzerMasks) and isinstance(self.people.analyzer, TinyAnalyzer)
        masked = "_tiny" if tiny else ""  # it does not know people on photographs
        figures = (
            f"frechet_{self.features.name}",
            f"kernel_{self.features.name}",
            agreement_name(self.text),
            f"background_psnr{masked}",
            f"background_ssim{masked}",
            f"background_{self.perceptual.name}",
            f"person_{scorer_name(self.preference)}",
        )
        return dict(zip(COLUMNS, figures, strict=True))

    @torch.no_grad()
    def figures(
        self, images: Float[Tensor, "b 3 h w"], batch: HumanInPlace
    ) -> dict[str, Float[Tensor, " b"]]:
        """The figures of single images, NaN where one is undefined.

        The background is what neither shows people in the generated image nor in the true one, and is compared with the
        scene that was given.

        Args:
            images: generated for the batch, RGB in [0, 1].
            batch: scenes, prompts and true people.

        Raises:
            ValueError: if the images have another size than the scenes.
        """
        if images.shape != batch.source.shape:
            raise ValueError(
                f"images: shape {tuple(images.shape)}; the scenes have {tuple(batch.source.shape)}"
            )
        names, shown = self.names(), self.people.masks(images)
        anybody = shown | batch.people_mask.to(shown.device)
        source = batch.source.to(images)
        return {
            names["CS"]: clip_score(self.text.score(images, batch.prompts)).cpu(),
            names["PSNR"]: background_psnr(images, source, anybody).cpu(),
            names["SSIM"]: background_ssim(images, source, anybody).cpu(),
            names["LPIPS"]: background_perceptual(images, source, anybody, self.perceptual).cpu(),
            names["HPS"]: person_scores(self.preference, images, shown, batch.prompts),
        }


def clip_score(cosines: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """100 times the cosine, at least 0 (Hessel et al. 2021, as torchmetrics and SkeleGuide report it)."""
    return 100 * cosines.clamp(min=0)


def scorer_name(scorer: Scorer) -> str:
    """What a scorer's figures are called after; a CLIP carries the name of its folder."""
    if isinstance(scorer, CLIPScorer):
        return f"clip_{Path(scorer.source).name}"
    return _NAMES.get(type(scorer).__name__, type(scorer).__name__)


def agreement_name(scorer: Scorer) -> str:
    """Name of :func:`clip_score` of a scorer: ``clip_score_<folder>``, or ``image_text_tiny``."""
    if isinstance(scorer, CLIPScorer):
        return f"clip_score_{Path(scorer.source).name}"
    return scorer_name(scorer)


def paper_value(column: str, figure: str) -> float | None:
    """SkeleGuide's value of a column, if the figure is of the paper's kind; None beside any other judge."""
    expected = _OF_THE_PAPER[column]
    alike = figure.startswith(expected) if expected.endswith("_") else figure == expected
    return PAPER[column] if alike else None
