"""From a draft to a layout: face boxes and bodies as an analyzer sees them, left to right.

What is seen is what is planned; nothing is added, left out or moved. Refused, in ``Answer.refusal``:

    nobody       no face is seen
    many         more faces than a plan holds
    count        another number than was asked for; the boxes are kept, so that one can look at them
    small        a face smaller than a plan allows
    overlapping  two people in the same place
"""

import torch

from datamodules.geometry.ordering import reading_order
from datamodules.plan_files import MAX_OVERLAP, MAX_PEOPLE, MIN_SIDE
from datamodules.schema.detections import Detections
from lightning_modules.ar2can.layout_decoding import Answer
from rewards.functional.boxes import pairwise_iou


def read_draft(seen: Detections, wanted: int | None = None) -> Answer:
    """The layout of a draft.

    Args:
        seen: what an analyzer saw on it.
        wanted: how many people it should show; None where that is not known, and then any number will do.
    """
    count = len(seen)
    if not count:
        return Answer(refusal="nobody", told=f"was drawn with no face that can be seen{_asked(wanted)}")
    order = reading_order(seen.boxes)
    boxes = seen.boxes[order].float().cpu()
    bodies = torch.zeros(count, 17, 3) if seen.keypoints is None else seen.keypoints[order].float().cpu()
    if wanted is not None and count != wanted:
        told = f"was drawn with {count} {_people(count)}{_asked(wanted)}"
        return Answer(boxes, refusal="count", keypoints=bodies, told=told)
    if count > MAX_PEOPLE:
        return Answer(refusal="many", told=f"was drawn with {count} people; a plan holds 1 to {MAX_PEOPLE}")
    sides = boxes[:, 2:] - boxes[:, :2]
    if float(sides.min()) < MIN_SIDE:
        return Answer(refusal="small", told=f"was drawn with a face of less than {MIN_SIDE} of the image")
    if float(pairwise_iou(boxes, boxes).triu(diagonal=1).max()) > MAX_OVERLAP:
        return Answer(refusal="overlapping", told="was drawn with two people in the same place")
    return Answer(boxes, keypoints=bodies)


def _asked(wanted: int | None) -> str:
    return "" if wanted is None else f" where {wanted} {'is' if wanted == 1 else 'are'} asked for"


def _people(count: int) -> str:
    return "person" if count == 1 else "people"
