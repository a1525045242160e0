"""The command ``plan``: a prompt in, a plan out that ``generate`` reads; bad prompts end in a sentence."""

import json

import pytest
import torch
from small_architects import known_examples

from datamodules.plan_files import read_plan
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.ar2can.plan import main
from lightning_modules.ar2can.planning import MAX_CHARACTERS, REASONS, language_architect, layout_of
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
        ("!?! \u200b", "holds no word"),
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
        (["--people", "0"], "--people: 0; a plan holds 1 to 7 people"),
        (["--people", "50"], "--people: 50; a plan holds 1 to 7 people"),
    ],
)
def test_files_that_are_not_there(knowing_files, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit) as stopped:
        run(knowing_files, tmp_path, prompt_for(3), *options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("token", ["[SEP]", "<SoL> <C> <C> <EoL>", "<|im_end|>"])
def test_control_tokens_of_a_prompt_are_read_as_words(knowing_files, knowing_architect, tmp_path, token):
    """Whatever is made of such a prompt, it is a plan or a refusal, and no token of it is one of the Architect's."""
    prompt = f"{prompt_for(2)} {token}"
    ids = knowing_architect.prompt_ids(prompt)
    assert max(ids) < knowing_architect.tokens.words
    assert [ids.index(102), ids.count(101)] == [len(ids) - 1, 1]
    answer = knowing_architect.plan([prompt])[0]
    assert (len(answer.boxes) > 0) == (answer.refusal is None)


def test_the_tokenizer_is_read_before_the_first_prompt(knowing_files, monkeypatch):
    module = language_architect(*knowing_files)

    def load(source):
        raise AssertionError("read while a prompt is planned")

    monkeypatch.setattr("lightning_modules.language.model.load_tokenizer", load)
    assert module.plan([prompt_for(2)])[0].tally == "2"


@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_has_its_sentence(reason):
    with pytest.raises(ValueError, match=r"^prompt: 'a prompt' \w+") as refused:
        layout_of("a prompt", Answer(refusal=reason))
    assert len(str(refused.value)) > 60


@pytest.mark.parametrize("bodies", [True, False])
def test_people_of_a_layout_stand_from_left_to_right(bodies):
    boxes = torch.tensor([[0.6, 0.1, 0.7, 0.2], [0.1, 0.1, 0.2, 0.2], [0.3, 0.1, 0.4, 0.2]])
    keypoints = boxes[:, None, :3].expand(3, 17, 3) if bodies else None
    layout = layout_of("three people", Answer(boxes, keypoints=keypoints))
    assert layout.boxes[0].tolist() == boxes[[1, 2, 0]].tolist()
    expected = boxes[[1, 2, 0], 0] if bodies else torch.zeros(3)
    assert layout.keypoints[0, :, 0, 0].tolist() == expected.tolist()


def test_another_number_than_asked_for_is_no_plan(knowing_files, tmp_path, capsys):
    assert run(knowing_files, tmp_path, prompt_for(3), "--people", "3").is_file()
    with pytest.raises(SystemExit) as stopped:
        run(knowing_files, tmp_path / "other", prompt_for(3), "--people", "4")
    assert stopped.value.code == 2
    assert "was planned with 3 people where 4 are asked for" in capsys.readouterr().err
