"""Figures of published benchmarks: functions from what was observed to named values, NaN where one is undefined.

They stand beside those of ``benchmarks.metrics`` in a suite's ``metrics``. Images that belong to no such benchmark
have none of these figures.
"""

import re
from math import isnan

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.metrics import Observation, Values
from benchmarks.published.asked import Asked
from rewards.functional import faces
from rewards.functional.assignment import hungarian
from rewards.scorers.vlm_judge import Answer

ACTIONS = "actions"
"""Name of the scorer that is asked the questions."""
_CHOICE = re.compile(r"\b([0-9])\s*\(")
DIGIT_ONLY = "\nAnswer with the digit of your choice and nothing else."


def identity_anywhere(seen: Observation) -> Values:
    """``identity_anywhere``: greatest total cosine of a one-to-one matching, over the number of people.

    MultiHuman-Testbench's identity: 0 for somebody nobody is matched with, and 0 where no face is seen. Undefined
    where a reference shows no face to the analyzer, whatever the model drew.
    """
    values = [
        torch.nan
        if asked.references is None or found is None
        else float(faces.best_identity_similarity(asked.references, found.to(asked.references)).mean())
        for asked, found in _with_faces(seen)
    ]
    return {"identity_anywhere": torch.tensor(values)} if values else {}


def actions(seen: Observation) -> Values:
    """``action``, and the same for simple (``action_s``) and complex (``action_c``) actions alone.

    MultiHuman-Testbench's: mean of (digit + 1) / 10 over the questions that were answered with a digit they offer.
    What the judge did not answer so is counted in ``questions_failed`` and told, never scored; an image without an
    answer, or without a judge, has no such figure.
    """
    judge = seen.scorers.get(ACTIONS)
    means, failures = [], []
    for image, asked in zip(seen.images, seen.asked or (), strict=False):
        answers = []
        if judge is not None and asked.questions:
            questions = [question + DIGIT_ONLY for question in asked.questions]
            given = judge.answers(image.expand(len(questions), -1, -1, -1), questions)  # type: ignore[attr-defined]
            answers = [
                among_choices(question, one) for question, one in zip(asked.questions, given, strict=True)
            ]
        scores = torch.tensor([answer.score for answer in answers])
        failed = scores.isnan()
        means.append(scores.nanmean() if len(scores) else torch.tensor(torch.nan))
        failures.append(float(failed.sum()) if judge is not None else torch.nan)
        if failed.any():
            reasons = dict.fromkeys(answer.reason for answer in answers if answer.reason)
            seen.notes.append(f"judge: {int(failed.sum())} of {len(answers)} questions: {'; '.join(reasons)}")
    if not means:
        return {}
    action = torch.stack(means)
    values = {"action": action}
    for name, is_complex in (("action_s", False), ("action_c", True)):
        others = torch.tensor([asked.is_complex is not is_complex for asked in seen.asked or ()])
        values[name] = action.masked_fill(others, torch.nan)
    return {**values, "questions_failed": torch.tensor(failures)}


def among_choices(question: str, answer: Answer) -> Answer:
    """The answer, or a failure if its digit is none of those that the question offers ("Choices: 0(No), 9(Yes).")."""
    offered = [int(digit) for digit in _CHOICE.findall(question.rpartition("Choices:")[2])]
    if isnan(answer.score) or "Choices:" not in question or not offered:
        return answer
    digit = round(10 * answer.score) - 1
    if digit in offered:
        return answer
    return Answer(float("nan"), f"answer {digit} is none of the choices {', '.join(map(str, offered))}")


def similarity(seen: Observation) -> Values:
    """``similarity_reference`` and ``similarity_truth``: mean cosine of people with the face that is nearest to each.

    MultiID-Bench's: people are the references, and the faces of the true image; one face may serve several of them.
    Undefined where a reference, or the true image, shows no face.
    """
    pairs = _with_faces(seen)
    if not pairs:
        return {}
    return {
        "similarity_reference": torch.tensor([_nearest(asked.references, found) for asked, found in pairs]),
        "similarity_truth": torch.tensor([_nearest(asked.truth_faces, found) for asked, found in pairs]),
    }


def image_truth(seen: Observation) -> Values:
    """``image_truth``: cosine of image and true image in the space of the scorer ``image_text``.

    With CLIP this is CLIP-I. A scorer without an image tower of its own has no such figure.
    """
    embed = getattr(seen.scorers.get("image_text"), "embed_images", None)
    if embed is None or not seen.asked:
        return {}
    values = [
        torch.tensor(torch.nan)
        if asked.truth is None
        else torch.cosine_similarity(embed(image[None]), embed(asked.truth[None]))[0].cpu()
        for image, asked in zip(seen.images, seen.asked, strict=True)
    ]
    return {"image_truth": torch.stack(values).float()}


def copy_paste(seen: Observation) -> Values:
    """``copy_paste``: WithAnyone's measure, mean over the people found in the image and in the true image.

    References and true faces, and then people and the image's faces, are matched one to one for the greatest total
    cosine. A face is matched by its likeness to reference and true face together: matching by either alone would
    already lean to what is measured.
    """
    values = [_copied(asked, found) for asked, found in _with_faces(seen)]
    return {"copy_paste": torch.tensor(values)} if values else {}


def _copied(asked: Asked, found: Float[Tensor, "o d"] | None) -> float:
    references, truth = asked.references, asked.truth_faces
    if references is None or truth is None or found is None:
        return torch.nan
    people, true_faces = hungarian(faces.pairwise_cosine(references, truth), maximize=True)
    references, truth = references[people], truth[true_faces]
    found = found.to(references)
    likeness = faces.pairwise_cosine(references, found) + faces.pairwise_cosine(truth, found)
    rows, columns = hungarian(likeness, maximize=True)
    return float(faces.copy_paste(found[columns], truth[rows], references[rows]).nanmean())


def _nearest(people: Float[Tensor, "n d"] | None, found: Float[Tensor, "o d"] | None) -> float:
    if people is None or found is None or not len(people):
        return torch.nan
    return float(faces.nearest_similarity(people, found.to(people)).mean())


def _with_faces(seen: Observation) -> list[tuple[Asked, Float[Tensor, "o d"] | None]]:
    """What is asked of each image, and the embeddings of its faces; None from an analyzer that embeds none."""
    if seen.asked is None or seen.detections is None:
        return []
    pairs = []
    for asked, found in zip(seen.asked, seen.detections, strict=True):
        embeddings = found.embeddings
        if embeddings is None and not len(found) and asked.references is not None:
            embeddings = asked.references.new_zeros(0, asked.references.shape[-1])
        pairs.append((asked, embeddings))
    return pairs
