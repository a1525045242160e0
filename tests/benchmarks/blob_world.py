"""A world small enough to be judged exactly: people are coloured discs, and the analyzer is connected components.

Independent of the tiny human world and its networks, so the benchmark's own machinery can be tested before and
without them. The analyzer measures (labels, bounding boxes, mean colours); it does not look at the truth.
"""

import time

import numpy as np
import torch
from scipy import ndimage

from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer, Scorer
from datamodules.schema.scene import Person, Scene

SIZE = 48
COLOURS = torch.tensor(
    [
        [0.9, 0.1, 0.1],
        [0.1, 0.8, 0.1],
        [0.15, 0.2, 0.95],
        [0.9, 0.85, 0.1],
        [0.85, 0.1, 0.85],
        [0.1, 0.85, 0.9],
    ]
)
NAMES = ("red", "green", "blue", "yellow", "violet", "cyan")
# 17 points spread over the unit square: a "body" that the bounding box determines
POINTS = torch.stack([torch.linspace(0.1, 0.9, 17), torch.linspace(0.9, 0.1, 17)], dim=-1)


def scenes(split, size, counts, seed):
    """``size`` scenes with discs that never touch; head counts taken in turn."""
    return [_scene(split, seed + i, counts[i % len(counts)]) for i in range(size)]


def _scene(split, seed, people):
    rng = np.random.default_rng([seed, len(split)])
    background = torch.full((3, SIZE, SIZE), 0.3)
    image = background.clone()
    colours = rng.permutation(len(NAMES))[:people]
    columns = np.linspace(0, SIZE, people + 1)
    persons = []
    for left, right, colour in zip(columns, columns[1:], colours, strict=False):
        radius = min(6, (right - left) / 2 - 1.5)
        x, y = (left + right) / 2, rng.uniform(radius + 2, SIZE - radius - 2)
        image, person = _paint(image, (x, y, radius), int(colour))
        persons.append(person)
    prompt = " and ".join(f"a {p.identity} person" for p in persons) + f" in place {seed}"
    return Scene(prompt, tuple(persons), image, background, f"{split}/{seed}", seed)


def _paint(image, disc, colour):
    x, y, radius = disc
    rows, columns = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    inside = (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
    image = torch.where(inside, COLOURS[colour][:, None, None], image)
    box = torch.tensor([x - radius, y - radius, x + radius, y + radius], dtype=torch.float32) / SIZE
    person = Person(
        box=box,
        keypoints=_body(box),
        landmarks=POINTS[:5] * (box[2:] - box[:2]) + box[:2],
        identity=NAMES[colour],
        reference=COLOURS[colour][:, None, None].expand(3, 16, 16).clone(),
        reference_landmarks=POINTS[:5],
        mask=inside,
    )
    return image, person


def _body(box):
    return torch.cat([POINTS * (box[2:] - box[:2]) + box[:2], torch.full((17, 1), 2.0)], dim=-1)


class BlobAnalyzer(Analyzer):
    """Connected components of saturated pixels."""

    def __init__(self, min_pixels: int = 6) -> None:
        self.min_pixels = min_pixels

    def analyze(self, images):
        return [self._one(image) for image in images]

    def embed_faces(self, faces, landmarks=None):
        return _direction(faces.mean(dim=(2, 3)))

    def features(self, images):
        pooled = torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)
        return torch.cat([pooled, images.std(dim=(2, 3))], dim=1)

    def _one(self, image):
        saturation = (image.amax(0) - image.amin(0)).numpy()
        labels, _ = ndimage.label(saturation > 0.35, structure=np.ones((3, 3)))
        height, width = saturation.shape
        boxes, colours = [], []
        for index, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            inside = labels == index
            if inside.sum() < self.min_pixels:
                continue
            boxes.append(
                [columns.start / width, rows.start / height, columns.stop / width, rows.stop / height]
            )
            colours.append(image[:, torch.from_numpy(inside)].mean(1))
        if not boxes:
            return Detections.empty(3)
        boxes = torch.tensor(boxes, dtype=torch.float32)
        return Detections(
            boxes=boxes,
            scores=torch.ones(len(boxes)),
            landmarks=torch.stack([POINTS[:5] * (b[2:] - b[:2]) + b[:2] for b in boxes]),
            keypoints=torch.stack([_body(b) for b in boxes]),
            embeddings=_direction(torch.stack(colours)),
        )


def _direction(colours):
    return torch.nn.functional.normalize(colours - colours.mean(-1, keepdim=True), dim=-1)


class ColourWordScorer(Scorer):
    """Share of the colour words of a prompt that are seen: a real, if plain, image-text score."""

    def score(self, images, prompts):
        analyzer = BlobAnalyzer()
        directions = _direction(COLOURS)
        out = []
        for image, prompt in zip(images, prompts, strict=True):
            seen = analyzer.analyze(image[None])[0].embeddings @ directions.T
            asked = [i for i, name in enumerate(NAMES) if name in prompt]
            found = set(seen.argmax(-1).tolist())
            out.append(len(found & set(asked)) / max(len(found | set(asked)), 1))
        return torch.tensor(out)


class ContrastScorer(Scorer):
    """Standard deviation of the pixels."""

    def score(self, images, prompts):
        return images.std(dim=(1, 2, 3))


class Washed:
    """A generator: the true image, faded towards grey and noised; strength is its only setting."""

    name = "washed"

    def __init__(self, pause_s: float = 0.0) -> None:
        self.pause_s = pause_s

    def generate(self, batch, *, seed, strength=0.0):
        time.sleep(self.pause_s if len(batch) > 1 else 0)
        noise = torch.rand(batch.images.shape, generator=torch.Generator().manual_seed(seed))
        return batch.images + strength * (0.5 * noise + 0.25 - batch.images)


class Failing:
    """A generator that breaks."""

    name = "failing"

    def generate(self, batch, *, seed):
        raise RuntimeError("no memory left")


class Painter:
    """A generator: the references' colours as squares at the planned places."""

    name = "painter"

    def __init__(self, broken_on: str = "") -> None:
        self.broken_on = broken_on

    def generate(self, batch, *, seed, shade=0.3):
        if self.broken_on and self.broken_on in batch.prompts[0]:
            raise RuntimeError("no memory left")
        height, width = batch.size
        image = torch.full((1, 3, height, width), shade)
        for box, reference in zip(batch.layout.boxes[0], batch.references[0], strict=True):
            x0, y0, x1, y1 = (box * torch.tensor([width, height, width, height])).round().int().tolist()
            image[0, :, y0:y1, x0:x1] = reference.mean(dim=(1, 2))[:, None, None]
        return image
