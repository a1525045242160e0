"""The command ``plan``: a prompt in, a plan out that ``generate`` reads; bad prompts end in a sentence."""

import json

import pytest
import torch
from small_architects import known_examples

from datamodules.plan_files import read_plan
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.ar2can.plan import main
from lightning_modules.ar2can.planning import MAX_CHARACTERS, REASONS, layout_of
from lightning_modules.configured import CONFIGS


def run(knowing_files, tmp_path, prompt, *options):
    config, weights = knowing_files
    out = tmp_path / "new" / "layout.json"
    main([prompt, "--out", str(out), "--config", str(config), "--weights", str(weights), *options])
    return out


def prompt_for(count):
    return next(e for e in known_examples() if (e.count or e.tally) == count).prompt


def test_a_prompt_becomes_a_plan_that_generate_reads(knowing_files, knowing_architect, tmp_path, capsys):
    out = run(knowing_files, tmp_path, prompt_for(3))
    layout = read_plan(out)
    assert layout.counts().tolist() == [3]
    assert bool((layout.centroids()[0, 1:, 0] > layout.centroids()[0, :-1, 0]).all())
    expected = knowing_architect.plan([prompt_for(3)])[0].boxes
    torch.testing.assert_close(layout.boxes[0], expected, atol=5e-3, rtol=0)
    assert "3 people" in " ".join(capsys.readouterr().out.split())
    assert set(json.loads(out.read_text())["people"][0]) == {"box"}


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("word " * 2000, f"10000 characters; at most {MAX_CHARACTERS}"),
        ("0", "names nobody"),
        ("many", "1 to 7"),
        ("some", "does not say how many"),
    ],
)
def test_a_prompt_that_cannot_be_planned(knowing_files, tmp_path, capsys, prompt, message):
    known = {"0", "many", "some"}
    with pytest.raises(SystemExit) as stopped:
        run(knowing_files, tmp_path, prompt_for(prompt) if prompt in known else prompt)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("plan: prompt: ")
    assert message in said
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "nowhere.yaml"], "--config: there is no file nowhere.yaml"),
        (["--config", str(CONFIGS / "ar2can" / "artist_tiny.yaml")], "trains a GRPOArtistModule"),
        (["--weights", "nowhere.safetensors"], "--weights: there is no file nowhere.safetensors"),
        (["--redraws", "-1"], "--redraws: -1 must be 0 or more"),
        (["--redraws", "2"], "--redraws: is for Architect-B"),
        (["--seed", "2"], "--seed: is for Architect-B"),
        (["--draft", "draft.png"], "--draft: is for Architect-B"),
        (["--out", "/dev/null/plan.json"], "/dev/null"),
    ],
)
def test_files_that_are_not_there(knowing_files, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit) as stopped:
        run(knowing_files, tmp_path, "three friends", *options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_has_its_sentence(reason):
    with pytest.raises(ValueError, match=r"^prompt: 'a prompt' \w+") as refused:
        layout_of("a prompt", Answer(refusal=reason))
    assert len(str(refused.value)) > 60


def test_another_number_than_asked_for_is_no_plan(knowing_files, tmp_path, capsys):
    assert run(knowing_files, tmp_path, prompt_for(3), "--people", "3").is_file()
    with pytest.raises(SystemExit) as stopped:
        run(knowing_files, tmp_path / "other", prompt_for(3), "--people", "4")
    assert stopped.value.code == 2
    assert "was planned with 3 people where 4 are asked for" in capsys.readouterr().err
