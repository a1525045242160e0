"""Photographs and captions as people leave them on their disks."""

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.photographs.files import UnfitError, decode, encode, list_photos, read_captions


def test_captions_beside_a_photograph_come_first(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.JPG", "sub/b.webp", "c.png", "d.gif"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a.txt").write_text("\ufefftwo\n people \n", encoding="utf-8")
    (tmp_path / "captions.jsonl").write_text(
        '{"file": "a.JPG", "prompt": "no"}\n\n{"file": "sub/b.webp", "prompt": "three people"}\n'
    )
    photos, left_out = list_photos(tmp_path)
    assert {p.name: p.prompt for p in photos} == {"a": "two people", "sub/b": "three people", "c": ""}
    assert left_out == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [("{", "not JSON"), ("[]", "expected an object"), ('{"file": "a.png"}', "expected the keys"),
     ('{"file": "a.png", "prompt": 3}', "expected the keys")],
)  # fmt: skip
def test_lines_that_cannot_be_used_are_named(tmp_path, line, reason):
    path = tmp_path / "captions.jsonl"
    path.write_text('{"file": "x.png", "prompt": "x"}\n' + line)
    with pytest.raises(ValueError, match=f"line 2: {reason}"):
        read_captions(path)
    path.write_text('{"file": "x.png", "prompt": "x"}\n' * 2)
    with pytest.raises(ValueError, match="named twice"):
        read_captions(path)


def test_pictures_come_back_and_are_turned_as_their_camera_says(tmp_path):
    image = (torch.rand(3, 20, 30) * 255).round() / 255
    assert torch.allclose(decode(encode(image)), image)
    pixels = Image.fromarray((image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    pixels.save(tmp_path / "turned.png", exif=exif)
    assert torch.allclose(decode((tmp_path / "turned.png").read_bytes()), image.rot90(-1, (1, 2)))
    pixels.convert("L").save(tmp_path / "grey.png")
    assert decode((tmp_path / "grey.png").read_bytes()).shape == (3, 20, 30)
    with pytest.raises(UnfitError, match="unreadable"):
        decode(b"GIF89a")
