"""Photographs whose truth is known: scenes of the tiny world in which the same few people come again and again."""

import json
import random
from dataclasses import replace
from unittest.mock import patch

from datamodules.photographs.files import encode
from datamodules.photographs.settings import BuildSettings
from datamodules.tiny_world import scenes as tiny_scenes
from datamodules.tiny_world.identities import likeness, sample_identity

FAMILIES, MEMBERS, PARTIES = 6, 5, 5
SETTINGS = BuildSettings(size=(128, 128), reference_size=64, same_person=0.62, smallest_view=8)


def family(number):
    """Identities that nobody confuses."""
    rng = random.Random(f"family {number}")
    members = []
    while len(members) < MEMBERS:
        identity = sample_identity(rng, "train", rng.random() < 0.5)
        if all(likeness(identity, other) < 2 for other in members):
            members.append(identity)
    return members


def draw_with(people, seed, count):
    """``draw_scene`` with its cast taken from ``people``; everything but the faces is new."""
    cast = tiny_scenes.cast

    def recast(rng, composition, split):
        members = cast(rng, composition, split)
        chosen = random.Random(seed).sample(people, len(members))
        return [replace(m, identity=identity) for m, identity in zip(members, chosen, strict=True)]

    with patch.object(tiny_scenes, "cast", recast):
        return tiny_scenes.draw_scene(seed, "train", count=count)


def draw_album():
    """Scenes by name: each family among themselves, in twos to fours, and one portrait of its first member."""
    album = {}
    for f in range(FAMILIES):
        people = family(f)
        for i in range(PARTIES):
            album[f"family{f}/party{i}"] = draw_with(people, 100 * f + i, 2 + (f + i) % 3)
        album[f"family{f}/portrait"] = draw_with(people[:1], 100 * f + 50, 1)
    return album


def write_album(folder, album):
    """PNG files, with captions beside them for even families and in ``captions.jsonl`` for odd ones."""
    lines = []
    for name, scene in album.items():
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(scene.image))
        if int(name[len("family")]) % 2:
            lines.append(json.dumps({"file": f"{name}.png", "prompt": scene.prompt}))
        else:
            path.with_suffix(".txt").write_text(scene.prompt + "\n")
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n")


def add_hopeless(folder, album):
    """Photographs that cannot become scenes, and why."""
    picture = encode(album["family0/party0"].image)
    (folder / "broken.jpg").write_bytes(picture[: len(picture) // 2])
    (folder / "text.png").write_bytes(b"no picture at all")
    (folder / "silent.webp").write_bytes(encode(album["family1/party1"].image.flip(-1)))
    (folder / "twin.png").write_bytes((folder / "family1/party0.png").read_bytes())
    (folder / "nobody.png").write_bytes(encode(album["family0/party0"].background))
    (folder / "family2/party0.webp").write_bytes(picture)
    (folder / "latin.png").write_bytes(picture)
    (folder / "latin.txt").write_bytes("caf\u00e9".encode("latin-1"))
    for name in ("broken", "text", "twin", "nobody"):
        (folder / f"{name}.txt").write_text("some people")
    with (folder / "captions.jsonl").open("a") as captions:
        captions.write('{"file": "gone.png", "prompt": "somebody"}\n')
    return {
        "broken.jpg": "unreadable",
        "text.png": "unreadable",
        "silent.webp": "no caption",
        "twin.png": "the same picture as family1/party0.png",
        "nobody.png": "faces seen: 0",
        "family2/party0.webp": "has the same name as party0.png",
        "latin.png": "latin.txt is not UTF-8 text",
        "gone.png": "named in captions.jsonl, but there is no such photograph",
    }


def tree(folder):
    """Every file's bytes, by path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
