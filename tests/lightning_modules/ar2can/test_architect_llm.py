"""Architect-A: its loss, its learning, its schedule, its files."""

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from small_architects import known_examples, learn_by_heart, small_architect
from torch.nn import functional
from torchvision.ops import box_convert
from transformers import get_cosine_schedule_with_warmup

from datamodules.plans.datamodule import PlanDataModule, collate_plans
from lightning_modules.ar2can.architect_llm import ArchitectRecipe, warmup_cosine
from lightning_modules.ar2can.layout_heads import coordinate_loss


def test_targets_are_prompt_then_answer():
    module = small_architect()
    batch = collate_plans(known_examples())
    targets = module.targets(batch)
    for k, example in enumerate(known_examples()):
        answer = targets.ids[k][targets.answers[k]]
        prompt = targets.ids[k][: int(targets.answers[k].long().argmax())]
        words = answer[answer < module.tokens.words].tolist()
        assert module.tokens.words == 30522
        assert module.language.read(prompt[1:-1].tolist()).replace(" ", "") == module.language.read(
            module.language.answer_ids(example.prompt)
        ).replace(" ", "")
        assert module.language.read(words) == example.tally
        shape = ["S"] + ["C"] * len(example.boxes) + ["E"] if example.count else ["E"]
        assert ["SEC"[t - 30522] for t in answer.tolist() if t >= 30522] == shape
        placed = targets.boxes[k][targets.ids[k] == module.tokens.box]
        torch.testing.assert_close(box_convert(placed, "cxcywh", "xyxy"), torch.from_numpy(example.boxes))


def test_without_a_tally_the_answer_is_the_papers():
    module = small_architect(tally=False)
    targets = module.targets(collate_plans(known_examples()))
    assert int(targets.ids[targets.answers].min()) >= module.tokens.words


def test_the_loss_is_that_of_a_network_with_a_larger_vocabulary():
    """Against transformers' own network with the layout tokens as further words, of which some are never written."""
    module = small_architect()
    targets = module.targets(collate_plans(known_examples()))
    terms = module.loss_terms(targets)
    network = module.language.network
    table = torch.cat([network.get_input_embeddings().weight, module.layout_rows])
    places = module.heads["embed"](targets.boxes) * (targets.ids == module.tokens.box)[..., None]
    hidden = network.model(inputs_embeds=functional.embedding(targets.ids, table) + places).last_hidden_state
    labels = targets.ids.masked_fill(~targets.answers, -100)
    never = torch.ones(len(table), dtype=torch.bool)
    never[module.tokens.said] = False
    scores = (hidden @ table.T)[:, :-1].masked_fill(never, -torch.inf)
    expected = functional.cross_entropy(scores.flatten(0, 1), labels[:, 1:].flatten())
    torch.testing.assert_close(terms["ce"], expected)
    before = hidden[:, :-1][(targets.ids == module.tokens.box)[:, 1:]]
    true = targets.boxes[targets.ids == module.tokens.box]
    torch.testing.assert_close(terms["l1"], 4 * functional.l1_loss(module.heads["value"](before), true))


@pytest.mark.parametrize("weight", [3.0, 0.5])
def test_words_of_the_tally_count_as_often_as_the_recipe_says(weight):
    """Against cross-entropy over a batch in which every token of a tally stands three times, or all others twice."""
    module = small_architect(tally_weight=weight)
    targets = module.targets(collate_plans(known_examples()))
    terms = module.loss_terms(targets)
    hidden = module.hidden(module.embed(targets.ids, targets.boxes), None, None)[:, :-1]
    wanted = targets.ids[:, 1:][targets.answers[:, 1:]]
    scores = module.scores(hidden)[targets.answers[:, 1:]]
    tally = (wanted < module.tokens.words).long()
    wanted = torch.tensor([module.tokens.said.tolist().index(token) for token in wanted])
    times = 1 + 2 * tally if weight == 3 else 2 - tally
    expected = functional.cross_entropy(
        scores.repeat_interleave(times, dim=0), wanted.repeat_interleave(times)
    )
    torch.testing.assert_close(terms["ce"], expected)
    torch.testing.assert_close(terms["tally"], functional.cross_entropy(scores[tally > 0], wanted[tally > 0]))


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_ignores_the_tally_is_refused(weight):
    with pytest.raises(ValueError, match="tally_weight"):
        ArchitectRecipe(tally_weight=weight)


def test_boxes_and_their_loss_are_computed_in_full_precision_under_autocast():
    module = small_architect()
    hidden = torch.randn(9, 384)
    true = torch.full((9, 4), 0.3)
    plain = module.value(hidden)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = module.value(hidden)
        assert module.scores(hidden).dtype == torch.bfloat16, "autocast is on"
        losses = coordinate_loss(mixed.bfloat16(), true)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain, atol=0, rtol=0)
    rounded = mixed.bfloat16().float()
    for ours, theirs in zip(losses, coordinate_loss(rounded, true), strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, atol=0, rtol=0)


def test_boxes_change_what_follows_them():
    """<C_i> carries the place of its person (f_embed)."""
    module = small_architect()
    ids = torch.tensor([[101, 2048, 102, module.tokens.start, module.tokens.box]])
    here = torch.zeros(1, 5, 4)
    there = here.clone()
    there[0, 4] = torch.tensor([0.8, 0.4, 0.2, 0.2])
    a, b = (module.hidden(module.embed(ids, boxes), None, None) for boxes in (here, there))
    torch.testing.assert_close(a[:, :4], b[:, :4])
    assert float((a[:, 4] - b[:, 4]).norm()) > 1e-3
    there[0, 1] = 0.5
    torch.testing.assert_close(module.hidden(module.embed(ids, there), None, None), b)


def test_a_few_prompts_are_learned_by_heart(knowing_architect):
    answers = knowing_architect.plan([e.prompt for e in known_examples()])
    for example, answer in zip(known_examples(), answers, strict=True):
        assert answer.tally == example.tally
        assert len(answer.boxes) == (example.count or 0)
        assert answer.mended == ()
        expected = {"0": "nobody", "many": "many", "some": "open"}.get(example.tally)
        assert answer.refusal == expected
        if example.count:
            assert float((answer.boxes - torch.from_numpy(example.boxes)).abs().mean()) < 0.1


def test_validation_tells_right_refusals_from_wrong_ones(knowing_architect, monkeypatch):
    """All known answers are right; then two prompts ask for something else than is answered."""
    logged: dict[str, float] = {}
    monkeypatch.setattr(
        knowing_architect, "log", lambda name, value, **_: logged.update({name: float(value)})
    )
    monkeypatch.setattr(knowing_architect, "log_dict", lambda *_, **__: None)

    def validate(batch):
        knowing_architect.on_validation_epoch_start()
        knowing_architect.validation_step(batch, 0)
        knowing_architect.on_validation_epoch_end()
        return {name: value for name, value in logged.items() if name.startswith("val/fault") and value}

    batch = collate_plans(known_examples())
    assert validate(batch) == {}
    assert (logged["val/exact_count"], logged["val/refused"]) == (1, 1)
    swapped = collate_plans(known_examples())
    swapped = type(swapped)(
        swapped.prompts,
        ("1", "2", "3", "many", "many", "some"),
        swapped.boxes,
        swapped.valid,
        swapped.families,
    )
    assert validate(swapped) == {"val/fault_nobody": pytest.approx(1 / 6)}
    assert logged["val/refused"] == pytest.approx(2 / 3)


def test_words_are_not_trained_and_everything_else_is():
    module = small_architect()
    frozen = {n for n, p in module.named_parameters() if not p.requires_grad}
    assert frozen == {"language.network.model.embed_tokens.weight"}
    learn_by_heart(module, 1)
    without = [n for n, p in module.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []


@pytest.mark.parametrize(("total", "warmup"), [(50, 10), (7, 0), (20, 20)])
def test_the_schedule_is_transformers(total, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, warmup, total)
    for step in range(total + 1):
        assert warmup_cosine(step, total, warmup) == pytest.approx(schedule.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        schedule.step()


def fit(module, data, callbacks=(), resume=None):
    trainer = quiet_trainer(
        max_steps=4,
        num_sanity_val_steps=0,
        val_check_interval=4,
        check_val_every_n_epoch=None,
        callbacks=list(callbacks),
    )
    trainer.fit(module, data, ckpt_path=resume)
    return trainer


def test_a_run_exports_what_a_fresh_module_reads(tmp_path):
    module = small_architect(
        export_folder=str(tmp_path), export_name="small", learning_rate=1e-3, warmup_steps=2, tally_weight=3.0
    )
    trainer = fit(module, PlanDataModule(n_train=32, n_val=6, batch_size=8))
    expected = {"loss", "ce", "giou", "l1", "tally", "exact_count", "fault_sum", "fault_nobody", "fault_many"}
    assert {f"val/{name}" for name in expected} <= set(trainer.callback_metrics)
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)
    fresh = small_architect()
    fresh.load_trained(tmp_path / "small.safetensors")
    for name, value in module.trained().items():
        torch.testing.assert_close(fresh.state_dict()[name], value, atol=2e-3, rtol=2e-3)
    (tmp_path / "small.safetensors").write_bytes(b"broken")
    with pytest.raises(ValueError, match="sha256"):
        fresh.load_trained(tmp_path / "small.safetensors")


class StopAfterTwo(L.Callback):
    def __init__(self, path):
        self.path = path

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == 2:
            trainer.save_checkpoint(self.path)
            trainer.should_stop = True


def test_a_run_that_goes_on_is_the_run_that_never_stopped(tmp_path):
    """Batches, noise on the boxes, the optimizer's averages and the schedule."""
    trained = []
    for callbacks, resume in (((), None), ((StopAfterTwo(tmp_path / "two.ckpt"),), None), ((), "two.ckpt")):
        module = small_architect(learning_rate=1e-3, warmup_steps=1, box_jitter=0.1)
        module.seed = 5
        data = PlanDataModule(n_train=10, n_val=1, batch_size=4)
        fit(module, data, callbacks, resume and tmp_path / resume)
        trained.append(module.trained())
    straight, stopped, resumed = trained
    assert any(not torch.equal(straight[name], stopped[name]) for name in straight)
    for name, value in straight.items():
        torch.testing.assert_close(resumed[name], value, atol=0, rtol=0)


def test_another_models_weights_are_refused(knowing_files):
    other = small_architect()
    other.language.network.model.layers = other.language.network.model.layers[:1]
    with pytest.raises(ValueError, match="another model"):
        other.load_trained(knowing_files[1])
