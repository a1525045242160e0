"""Reading image files of every make, and refusing with a reason."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.files import UnreadableError, list_files, read_image, read_prompts
from benchmarks.suite import SuiteError

LIMIT = 10_000


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)


def test_rgb_is_read_exactly(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image, notes = read_image(tmp_path / "a.png", LIMIT)
    assert notes == []
    assert torch.equal((image * 255).round().byte(), torch.from_numpy(pixels).permute(2, 0, 1))


def test_grey_palette_and_black_and_white(tmp_path, pixels):
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    grey, notes = read_image(tmp_path / "grey.png", LIMIT)
    assert "grey" in notes[0]
    assert torch.equal((grey[1] * 255).round().byte(), torch.from_numpy(pixels[..., 0].copy()))

    palette = Image.fromarray(pixels // 128 * 255).quantize(8)
    palette.save(tmp_path / "palette.png")
    image, notes = read_image(tmp_path / "palette.png", LIMIT)
    assert "palette" in notes[0]
    expected = torch.from_numpy(np.asarray(palette.convert("RGB")).copy()).permute(2, 0, 1)
    assert torch.equal((image * 255).round().byte(), expected)

    Image.fromarray(pixels[..., 0] > 127).save(tmp_path / "bw.png")
    image, notes = read_image(tmp_path / "bw.png", LIMIT)
    assert set(image.unique().tolist()) == {0.0, 1.0}
    assert "black and white" in notes[0]


def test_transparency_is_composed_over_white(tmp_path, pixels):
    alpha = np.linspace(0, 255, 63).reshape(7, 9, 1).astype(np.uint8)
    Image.fromarray(np.concatenate([pixels, alpha], axis=2)).save(tmp_path / "a.png")
    image, notes = read_image(tmp_path / "a.png", LIMIT)
    weight = alpha / 255
    expected = pixels * weight + 255 * (1 - weight)  # the definition of "over"
    assert "over white" in notes[0]
    np.testing.assert_allclose(image.permute(1, 2, 0).numpy() * 255, expected, atol=1.0)


def test_16_bit_grey_keeps_its_range(tmp_path):
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    image, notes = read_image(tmp_path / "deep.png", LIMIT)
    assert "16-bit" in notes[0]
    torch.testing.assert_close(image[2], torch.tensor([[0.0, 1 / 255, 128 / 255, 1.0]]))


def test_exif_rotation_is_applied(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    image, notes = read_image(tmp_path / "a.png", LIMIT)
    assert image.shape == (3, 9, 7)
    assert "EXIF" in notes[0]
    assert torch.equal(
        (image * 255).round().byte(), torch.from_numpy(np.rot90(pixels, -1).copy()).permute(2, 0, 1)
    )


def _corrupt(folder):
    (folder / "x.png").write_bytes(b"not an image at all")


def _truncated(folder):
    path = folder / "x.png"
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:900])


def _empty(folder):
    (folder / "x.png").write_bytes(b"")


def _huge(folder):
    Image.new("1", (200, 60)).save(folder / "x.png")


def _bomb(folder):
    # 900 million pixels in a few kilobytes: above even Pillow's own error limit
    Image.MAX_IMAGE_PIXELS, kept = None, Image.MAX_IMAGE_PIXELS
    Image.new("1", (30000, 30000)).save(folder / "x.png")
    Image.MAX_IMAGE_PIXELS = kept


def _cmyk(folder):
    Image.new("CMYK", (8, 8), (10, 20, 30, 40)).save(folder / "x.png", "JPEG")


def _float(folder):
    Image.new("F", (8, 8), 3.5).save(folder / "x.png", "TIFF")


@pytest.mark.parametrize(
    ("make", "status", "words"),
    [
        (_corrupt, "corrupt", "not a readable image"),
        (_truncated, "corrupt", "cannot be decoded"),
        (_empty, "corrupt", "not a readable image"),
        (_huge, "huge", "200 x 60 is more than max_pixels = 10,000"),
        (_bomb, "huge", "30000 x 30000"),
        (_cmyk, "unsupported", "CMYK"),
        (_float, "unsupported", "colour mode F"),
        (lambda folder: None, "missing", "no such file"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, make, status, words):
    make(tmp_path)
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(UnreadableError, match=words) as caught:
        read_image(tmp_path / "x.png", LIMIT)
    assert caught.value.status == status
    assert before == Image.MAX_IMAGE_PIXELS


def test_listing_is_natural_and_names_the_missing(tmp_path):
    for name in ("image10.png", "image9.png", "flux/a.jpg", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    prompts = tmp_path / "p.jsonl"
    rows = [
        {"file": "image9.png", "prompt": "two people", "people": 2, "method": "mine"},
        {"file": "./gone.png", "prompt": "nobody"},
    ]
    prompts.write_text("\n".join(json.dumps(r) for r in rows) + "\n\n")
    listed = list_files(tmp_path, prompts)
    assert [(e.file, e.prompt, e.people) for e in listed] == [
        ("flux/a.jpg", None, None),
        ("gone.png", "nobody", None),
        ("image9.png", "two people", 2),
        ("image10.png", None, None),
    ]
    assert [e.method for e in listed] == ["flux", tmp_path.name, "mine", tmp_path.name]


def test_csv_and_jsonl_say_the_same(tmp_path):
    (tmp_path / "p.csv").write_text(
        '\ufefffile,prompt,people\na.png,"one, two",2\nb.png,,\n', encoding="utf-8"
    )
    (tmp_path / "p.jsonl").write_text(
        '{"file": "a.png", "prompt": "one, two", "people": 2}\n{"file": "b.png"}\n'
    )
    assert read_prompts(tmp_path / "p.csv") == read_prompts(tmp_path / "p.jsonl")
    assert read_prompts(tmp_path / "p.csv")["a.png"] == {"prompt": "one, two", "people": 2, "method": None}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"file": "a.png"}\n{"prompt": "x"}', "line 2: no 'file'"),
        ('{"file": "a.png", "people": "two"}', "people 'two'"),
        ('{"file": "a.png", "people": -1}', "people -1"),
        ('{"file": "a.png"}\n{"file": "./a.png"}', "named twice"),
        ('{"file": "a.png"', "line 1: not JSON"),
        ("[1]", "expected an object"),
    ],
)
def test_bad_prompt_files_name_the_line(tmp_path, text, words):
    (tmp_path / "p.jsonl").write_text(text)
    with pytest.raises(SuiteError, match=words):
        read_prompts(tmp_path / "p.jsonl")
