"""The HTML report: complete, self-contained, and safe against what prompts may contain."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch
from PIL import Image
from rich.console import Console

from benchmarks.page import render
from benchmarks.pictures import contact_sheet, encode
from benchmarks.plots import plots
from benchmarks.report import Badge, Outcome, Report, Row, Sample
from benchmarks.table import print_summary

PROVENANCE = {
    "git": {"revision": "abcdef0123456789", "dirty": True},
    "started": "2030-01-01",
    "config": {"name": "s"},
}
VOID = {"meta", "img", "br", "link", "input"}


def outcome(method, steps, offset, ceiling=False):
    rows = []
    for metric in ("count_exact", "identity", "seconds"):
        value = 0.1 * steps / 28 + offset
        rows.append(Row("s", method, f"steps={steps}", None, metric, value, value - 0.05, value + 0.05, 9))
        rows += [
            Row("s", method, f"steps={steps}", None, metric, value - 0.01 * n, None, None, 3, f"people={n}")
            for n in (1, 2, 3)
        ]
        rows += [
            Row("s", method, f"steps={steps}", seed, metric, value + 0.01 * seed, None, None, 9)
            for seed in (0, 1)
        ]
    picture = encode(torch.full((3, 8, 8), offset))
    badges = (Badge("3/3 faces", True), Badge("id 0.1", False))
    samples = [
        Sample(
            "scene/1",
            "<script>alert(1)</script> & a \"quoted\" 'prompt'",
            picture,
            badges,
            (picture,),
            (picture,),
        )
    ]
    return Outcome(method, f"steps={steps}", {"steps": steps}, rows, samples, ceiling=ceiling)


@pytest.fixture
def report():
    made = Report("s", "A <b>description</b>", PROVENANCE, {"analyzer": "a.B"}, "finished", planned=3)
    made.outcomes = [outcome("base", 4, 0.2), outcome("base", 28, 0.4), outcome("true", 1, 0.9, ceiling=True)]
    made.notes.append("a note")
    made.excluded.append({"file": "broken.png", "status": "corrupt", "reason": "<cut> short"})
    made.failures.append({"method": "m", "setting": "", "error": "Boom()", "trace": "line <module>"})
    return made


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that every tag is closed in order."""

    def __init__(self):
        super().__init__()
        self.stack, self.tags, self.attributes, self.words = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.stack == []
    return reader


def test_nothing_is_fetched(report):
    page = render(report)
    reader = read(page)
    links = [
        (tag, name, value)
        for tag, name, value in reader.attributes
        if name in {"src", "href", "xlink:href", "srcset"}
    ]
    assert links
    assert all(value.startswith(("data:image/", "#")) for _, _, value in links)
    assert not re.search(r"url\(\s*['\"]?(?!#)", page)
    assert "@import" not in page
    assert not {"script", "link", "iframe", "object"} & set(reader.tags)


def test_text_from_outside_is_escaped(report):
    reader = read(render(report))
    text = "".join(reader.words)
    assert "script" not in reader.tags
    assert "<script>alert(1)</script>" in text
    assert "A <b>description</b>" in text
    for expected in (
        "broken.png",
        "<cut> short",
        "a note",
        "Boom()",
        "line <module>",
        "abcdef0123 + changes",
    ):
        assert expected in text


def test_pictures_are_inside_and_readable(report):
    reader = read(render(report))
    sources = [value for tag, name, value in reader.attributes if (tag, name) == ("img", "src")]
    assert (
        len(sources) == 7
    )  # three shots, what led to each, and one strip with the scene's single reference face
    for source in sources:
        with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
            assert picture.size == (8, 8)


def test_the_best_value_is_marked_ceilings_apart(report):
    page = render(report)
    marked = re.findall(r'<td class="best"[^>]*>([\d.]+)', page)
    assert marked == ["0.214", "0.500", "0.500"]  # seconds of the first row, the two others of the second


def test_plots_are_well_formed_inherit_ink_and_have_unique_ids(report):
    found = plots(report)
    captions = [caption for caption, _ in found]
    assert [c.split(",")[0] for c in captions] == [
        "Figures against steps",
        "Figures against the number of people asked for",
        "Quality against speed",
    ]
    ids = []
    for _, svg in found:
        root = ET.fromstring(svg)
        assert root.tag.endswith("svg")
        own = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
        references = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', svg))
        assert references <= set(own)
        assert "currentColor" in svg
        assert "#010203" not in svg
        ids += own
    assert len(ids) == len(set(ids))


def test_an_empty_report_is_a_page_too():
    made = Report("s", "", {**PROVENANCE, "git": None}, {})
    assert plots(made) == []
    assert "No configuration is finished yet" in "".join(read(render(made)).words)


def test_large_pictures_are_shrunk():
    with Image.open(io.BytesIO(encode(torch.rand(3, 300, 600)))) as picture:
        assert picture.size == (256, 128)
        assert picture.format == "JPEG"
    content = torch.arange(3 * 4 * 4).reshape(3, 4, 4) / 48
    with Image.open(io.BytesIO(encode(content))) as picture:
        assert picture.format == "PNG"
        assert picture.getpixel((3, 0)) == tuple(round(float(c) * 255) for c in content[:, 0, 3])


def test_contact_sheet_colours_by_verdict():
    samples = [
        Sample("a", "", encode(torch.ones(3, 8, 8)), (Badge("", True), Badge("", True))),
        Sample("b", "", encode(torch.ones(3, 8, 8)), (Badge("", True), Badge("", False))),
    ]
    with Image.open(io.BytesIO(contact_sheet(samples, cell=32))) as sheet:
        good, bad = sheet.getpixel((30, 44)), sheet.getpixel((62, 44))
        assert sheet.getpixel((5, 5)) == (255, 255, 255)
    assert good[1] > good[0]
    assert bad[0] > bad[1]
    assert contact_sheet([]) is None


def test_spread_and_paper_stand_under_the_figure(report, capsys):
    report.outcomes = [replace(report.outcomes[0], paper={"identity": 0.682})]
    page = render(report)
    assert "<small>± 0.007 seeds</small>" in page
    assert "<small>paper 0.682</small>" in page
    print_summary(Console(width=200), report)
    printed = capsys.readouterr().out
    assert "± 0.007 seeds" in printed
    assert printed.count("paper") == 1


def test_what_was_expected_leaves_room_for_the_figures(report, capsys):
    first = report.outcomes[0]
    rows = [replace(row, expected="≥ +0.9 over a method with a long name", met=False) for row in first.rows]
    report.outcomes = [replace(first, rows=rows)]
    print_summary(Console(width=90), report)
    figures, verdicts = capsys.readouterr().out.split("What was expected")
    assert f"│ {first.title} │" in figures
    assert "over a method" not in figures
    assert "≥ +0.9 over a method with a long name missed" in verdicts


def test_steps_stand_beside_the_papers(report, capsys):
    report.outcomes = [
        replace(o, paper={"identity": p}) for o, p in zip(report.outcomes, (0.9, 0.3, 0.4), strict=True)
    ]
    page = render(report)
    assert "Direction against the paper" in page
    assert "base · steps=4 → base · steps=28" in page
    assert re.findall(r'class="badge([^"]*)">(agrees|opposed)', page) == [
        (" bad", "opposed"),
        (" good", "agrees"),
    ]
    assert "<td>−0.600</td>" in page
    assert "Kendall&#x27;s tau: Identity -0.33" in page
    print_summary(Console(width=200), report)
    assert "opposed" in capsys.readouterr().out
    assert "Direction against" not in render(replace(report, outcomes=report.outcomes[:1]))


def test_the_papers_figure_of_a_part_stands_in_its_part(report):
    report.outcomes = [replace(report.outcomes[0], paper={"identity/people=2": 0.718})]
    page = render(report)
    assert page.count("paper 0.718") == 1
    assert page.index("By part") < page.index("paper 0.718")


def test_a_line_varies_in_its_own_axis_alone(report):
    """Two settings that vary together are two lines, not one that goes back and forth."""
    plain, guided = outcome("base", 4, 0.2), outcome("base", 4, 0.3)
    pairs = [(plain, 1.0), (guided, 2.0), (outcome("base", 28, 0.4), 1.0)]
    report.outcomes = [replace(o, parameters={**o.parameters, "guidance": g}) for o, g in pairs]
    drawn = dict(plots(report))
    steps = next(svg for caption, svg in drawn.items() if "against steps" in caption)
    assert "base guidance=1.0" in steps
    assert "base guidance=2.0" in steps
    guidance = next(svg for caption, svg in drawn.items() if "against guidance" in caption)
    assert "base steps=4" in guidance
