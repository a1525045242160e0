"""How figures are called, which way is better, and which stand in the summary tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One metric as readers see it.

    Attributes:
        label: short name.
        better: +1 higher, -1 lower, 0 neither.
        digits: decimals shown.
        meaning: one line for the report.
        in_summary: stands in the summary table.
    """

    label: str
    better: int = 1
    digits: int = 3
    meaning: str = ""
    in_summary: bool = True


FIGURES = {
    "count_exact": Figure(
        "Exact count", 1, 3, "share of images with exactly as many faces as people asked for"
    ),
    "count_error": Figure(
        "Count error", -1, 2, "mean absolute difference between faces found and people asked for"
    ),
    "faces": Figure("Faces", 0, 2, "faces found per image", in_summary=False),
    "identity": Figure(
        "Identity",
        1,
        3,
        "cosine to the reference views, faces matched to planned places by the Hungarian method, "
        "0 for a missing person (Ar2Can, Algorithm 4)",
    ),
    "identity_anywhere": Figure(
        "Identity, anywhere",
        1,
        3,
        "cosine to the reference faces under the one-to-one matching of greatest total, over the number of people, 0 "
        "for a missing person (MultiHuman-Testbench)",
    ),
    "preference": Figure("Preference", 1, 3, "score of the scorer named 'preference', in its own units"),
    "action_s": Figure(
        "Action-S",
        1,
        3,
        "mean answer of a vision-language model on simple actions, a digit d as (d + 1) / 10",
    ),
    "action_c": Figure("Action-C", 1, 3, "the same on complex actions"),
    "action": Figure("Action", 1, 3, "the same on all", in_summary=False),
    "questions_failed": Figure(
        "Unanswered",
        -1,
        2,
        "questions per image that the judge did not answer with a digit",
        in_summary=False,
    ),
    "unified": Figure(
        "Unified",
        1,
        3,
        "geometric mean of exact count, identity, preference and action: a definition of ours, not the paper's",
    ),
    "unified_no_actions": Figure(
        "Unified, no actions", 1, 3, "geometric mean of exact count, identity and preference: likewise ours"
    ),
    "similarity_reference": Figure(
        "To reference",
        1,
        3,
        "cosine of each reference with the most similar face of the image (MultiID-Bench)",
    ),
    "similarity_truth": Figure(
        "To truth", 1, 3, "cosine of each face of the true image with the most similar one (MultiID-Bench)"
    ),
    "plan_exact": Figure("Exact plan", 1, 3, "share of plans with exactly as many people as asked for"),
    "plan_iou": Figure("Plan IoU", 1, 3, "overlap with the boxes of the prompt's own layout, left to right"),
    "plan_refused": Figure("Refused", -1, 3, "share of prompts that were given no plan"),
    "plan_seconds": Figure("s / plan", -1, 2, "wall time of planning per image on this machine"),
    "copy_paste": Figure(
        "Copy-paste",
        -1,
        3,
        "how much nearer faces are to the reference view than to the same person's true face, from -1 (the true face) "
        "to 1 (the reference itself), over matched people (WithAnyone)",
    ),
    "image_truth": Figure(
        "Image–truth", 1, 3, "cosine of image and true image in the space of the image–text scorer"
    ),
    "oks": Figure(
        "OKS", 1, 3, "object keypoint similarity to the planned bodies, over people whose face was matched"
    ),
    "image_text": Figure("Image–text", 1, 3, "similarity of image and prompt"),
    "image_text_top1": Figure(
        "Top-1 of 32", 1, 3, "share of images whose own prompt scores highest among 32"
    ),
    "quality": Figure("Quality", 1, 3, "quality score that may serve as a reward"),
    "judge": Figure("Judge", 1, 3, "independent quality score, trained apart, never a reward"),
    "frechet": Figure(
        "Fréchet",
        -1,
        2,
        "Fréchet distance of analyzer features to true images of other scenes; depends on n, so compare equal n only",
    ),
    "kernel": Figure(
        "Kernel",
        -1,
        4,
        "squared maximum mean discrepancy of analyzer features to true images of other scenes, with KID's kernel and "
        "without bias; no KID, since that is of Inception's features",
    ),
    "background_psnr": Figure(
        "Background PSNR", 1, 2, "PSNR in dB to the scene that was given, over pixels that show nobody"
    ),
    "background_ssim": Figure("Background SSIM", 1, 3, "SSIM to it, over windows that show nobody"),
    "background_perceptual_tiny": Figure(
        "Background distance",
        -1,
        3,
        "LPIPS's recipe on the tiny analyzer, over pixels that show nobody; no LPIPS",
    ),
    "edited_oks": Figure(
        "Edited OKS",
        1,
        3,
        "OKS to the plan with everybody's left arm raised, a missing person counting 0",
    ),
    "edited_limb": Figure("Edited arm", 1, 3, "the same over the joints that the edit moved"),
    "layout_pck": Figure(
        "Layout PCK@0.5", 1, 3, "joints read off the layout within half the trunk's length of the true ones"
    ),
    "layout_oks": Figure("Layout OKS", 1, 3, "OKS of the skeletons read off the layout to the true ones"),
    "layout_count": Figure(
        "Layout count", 1, 3, "share of layouts with exactly as many skeletons as people asked for"
    ),
    "diversity": Figure(
        "Diversity",
        0,
        3,
        "standard deviation of the pixels between images of one scene from different noise, in units of the range of a "
        "pixel; a fall is a policy that draws one image again and again",
    ),
    "ratio": Figure(
        "Ratio",
        0,
        2,
        "the first quantity named over the second, both measured in this run on this machine; for times the median of "
        "the ratios of neighbouring rounds with its quartiles",
    ),
    "flop_ratio": Figure(
        "FLOP ratio",
        0,
        2,
        "the same ratio in floating-point operations: what a machine would show that did nothing but multiply",
    ),
    "training_minutes": Figure("Training / min", 0, 1, "wall time of one training on this machine"),
    "seconds": Figure("s / image", -1, 3, "wall time of generation per image on this machine"),
}


def figure(metric: str) -> Figure:
    """The description of a metric; one nobody described is shown under its own name, higher is better."""
    return FIGURES.get(metric, Figure(metric.replace("_", " ").capitalize()))


def shown(value: float | None, metric: str) -> str:
    """A value with the digits of its metric; a dash where undefined."""
    return "–" if value is None else f"{value:.{figure(metric).digits}f}"


def signed(change: float, metric: str) -> str:
    """A change of a figure, with its sign and the digits of its metric."""
    return ("+" if change >= 0 else "−") + shown(abs(change), metric)


def ordered(metrics: list[str], summary: bool = True) -> list[str]:
    """Metrics in the order of ``FIGURES``, unknown ones last; only those of the summary unless told otherwise."""
    places = {name: place for place, name in enumerate(FIGURES)}
    kept = [m for m in metrics if figure(m).in_summary or not summary]
    return sorted(kept, key=lambda m: places.get(m, len(places)))
