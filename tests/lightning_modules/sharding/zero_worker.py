"""One rank of a ZeRO run on CPU, started by ``test_zero_strategy.py``; writes what it saw as JSON."""

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies import DDPStrategy
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from callbacks.adapter_checkpoint import AdapterCheckpoint, export_trained
from callbacks.adapter_ema import AdapterEMA
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.sharding.clipped_step import clipped_step
from lightning_modules.sharding.micro_backward import micro_backward
from lightning_modules.sharding.zero_init import gathered, initialize, parameter_bytes
from lightning_modules.sharding.zero_strategy import CPUZeroStrategy

BATCH = 2
TRAINERS = Path(__file__).resolve().parents[3] / "configs" / "trainer"


class LatentStream(IterableDataset):
    """Batch ``step`` of a rank is a function of both alone; ``world=1`` yields all ranks' batches joined."""

    def __init__(self, rank: int, world: int, start: int) -> None:
        self.rows = BATCH if world > 1 else 2 * BATCH
        self.first, self.start = rank * self.rows, start

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for step in itertools.count(self.start):
            rows = [self.row(2 * BATCH * step + self.first + i) for i in range(self.rows)]
            yield {key: torch.stack([row[key] for row in rows]) for key in rows[0]}

    @staticmethod
    def row(index: int) -> dict[str, Tensor]:
        g = torch.Generator().manual_seed(index)
        return {
            "data": torch.randn(16, 64, generator=g),
            "noise": torch.randn(16, 64, generator=g),
            "text": torch.randn(4, 64, generator=g),
            "pooled": torch.randn(64, generator=g),
            "sigma": torch.rand((), generator=g),
        }


class LoRAFlux(L.LightningModule):
    """The backbone, read from a diffusers folder, with LoRA on q, k and v, trained on flow matching."""

    def __init__(self, source: str, run: "Run") -> None:
        super().__init__()
        self.run = run
        self.backbone = FluxBackbone(
            source,
            dtype="bfloat16" if run.half else "float32",
            gradient_checkpointing=run.checkpointing,
            adapters={"artist": LoRASpec(rank=4)},
            fused=[str(Path(source).with_name("fused.safetensors"))] if run.fused else [],
        )
        self.drawn: dict[str, float] = {}

    def configure_model(self) -> None:
        if self.drawn:
            return
        self.backbone.configure()
        self.drawn = norms(self)
        # The random A again, now from a seed of its own, so that runs on one and two ranks compare.
        initialize(self.backbone.adapters["artist"], self.redraw)

    def redraw(self) -> None:
        generator = torch.Generator().manual_seed(1)
        for name, p in self.backbone.adapters["artist"].named_parameters():
            if "down" in name.split("."):
                p.data.copy_(torch.randn(p.shape, generator=generator) / 4)
            elif self.run.half:
                p.data.fill_(1)  # where bfloat16's steps are 1/256 and 1/128

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        sigma = batch["sigma"]
        blend = sigma[:, None, None]
        noisy = (1 - blend) * batch["data"] + blend * batch["noise"]
        sequence = TokenSequence(
            text=TokenGroup(batch["text"], text_ids(4), adapters=("artist",)),
            pooled=batch["pooled"],
            noise=TokenGroup(noisy, grid_ids(4, 4), adapters=("artist",)),
        )
        pred = self.backbone(sequence, sigma)
        return (pred - (batch["noise"] - batch["data"])).square().mean()

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        return LoRAFlux.training_step(self, batch, batch_idx)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        trained = [p for p in self.parameters() if p.requires_grad]
        if self.run.optimizer == "sgd":
            return torch.optim.SGD(trained, lr=5.0)
        return torch.optim.AdamW(trained, lr=1e-4 if self.run.half else 1e-2)


class MicroLoRAFlux(LoRAFlux):
    """The same loss in manual optimisation, one backward pass per row of the batch."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.automatic_optimization = False
        self.lengths: list[float] = []

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        optimizer = self.optimizers()
        optimizer.zero_grad()
        rows = len(batch["sigma"])
        total = torch.zeros(())
        for i in range(rows):
            loss = super().training_step({k: v[i : i + 1] for k, v in batch.items()}, batch_idx) / rows
            micro_backward(self, loss, is_last=i == rows - 1)
            total += loss.detach()
        if self.run.clip is None:
            optimizer.step()
        else:
            trained = [p for p in self.parameters() if p.requires_grad]
            self.lengths.append(clipped_step(self, trained, self.run.clip))
        return total


class Probe(Callback):
    """Notes losses, the norms of A (down) and B (up), bytes, and the dtypes that linear layers multiply with.

    With ``weights``, what is trained is written there, before (``.start``) and after.
    """

    def __init__(self, weights: Path | None) -> None:
        self.seen: dict[str, Any] = {"loss": [], "validated": []}
        self.weights = weights
        self.dtypes: dict[str, set[str]] = {"adapters": set(), "transformer": set()}

    def write(self, trainer: L.Trainer, module: L.LightningModule, suffix: str) -> None:
        if self.weights is not None:
            export_trained(module, self.weights.with_suffix(suffix), trainer.is_global_zero)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        count = parameter_bytes(pl_module)
        self.seen |= {
            "local": count.local,
            "total": count.total,
            "drawn": pl_module.drawn,
            "start": norms(pl_module),
        }
        self.seen["base"] = digest(pl_module)
        self.write(trainer, pl_module, ".start.safetensors")
        for part, found in self.dtypes.items():
            for layer in pl_module.backbone.get_submodule(part).modules():
                if isinstance(layer, nn.Linear):
                    layer.register_forward_pre_hook(lambda m, _, f=found: f.add(str(m.weight.dtype)))

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.seen["loss"].append(outputs["loss"].item())

    def on_validation_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.seen["validated"].append(outputs.item())

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seen |= {"end": norms(pl_module), "global_step": trainer.global_step}
        self.seen |= {"dtypes": {part: sorted(found) for part, found in self.dtypes.items()}}
        self.seen["lengths"] = getattr(pl_module, "lengths", [])
        self.write(trainer, pl_module, ".safetensors")


def norms(module: nn.Module) -> dict[str, float]:
    found = {}
    for letter in ("down", "up"):
        chosen = [p for name, p in module.named_parameters() if letter in name.split(".")]
        with gathered(chosen):
            found[letter] = torch.cat([p.detach().flatten() for p in chosen]).norm().item()
    return found


def digest(module: nn.Module) -> float:
    total = 0.0
    for p in module.parameters():
        with gathered([p]):
            if not p.requires_grad:
                total += p.detach().double().abs().sum().item()
    return total


@dataclass(frozen=True)
class Run:
    """One fit; ``start`` is the step whose data comes first, ``resume`` a checkpoint, ``save`` a folder for some.

    ``fused`` adds a LoRA set to the base's weights.
    ``half`` is a bfloat16 base, B at 1 and steps of 1e-4; ``clip`` limits the gradient's norm, in manual optimisation.
    """

    max_steps: int = 4
    optimizer: str = "adamw"
    checkpointing: bool = False
    accumulate: int = 1
    micro: bool = False
    save: Path | None = None
    start: int = 0
    resume: Path | None = None
    fused: bool = False
    half: bool = False
    clip: float | None = None
    weights: Path | None = None


def fit(run: Run, source: Path, strategy: Any = "auto", world: int = 1, rank: int = 0) -> dict[str, Any]:
    """Train and report what was seen."""
    kind = MicroLoRAFlux if run.micro else LoRAFlux
    module = kind(str(source), run)
    probe = Probe(run.weights)
    saver = AdapterCheckpoint(dirpath=run.save, filename="{step}", every_n_train_steps=2, save_top_k=-1)
    average = AdapterEMA(decay=0.5)
    trainer = L.Trainer(
        accelerator="cpu",
        devices=world,
        strategy=strategy,
        precision=shipped_precision(strategy.config["zero_optimization"]["stage"])
        if isinstance(strategy, CPUZeroStrategy)
        else "32-true",
        max_steps=run.max_steps,
        accumulate_grad_batches=run.accumulate,
        logger=False,
        enable_checkpointing=run.save is not None,
        callbacks=[probe, *([average, saver] if run.save else [])],
        val_check_interval=2,
        check_val_every_n_epoch=None,
        limit_val_batches=1 if run.save else 0,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    train, val = (DataLoader(LatentStream(rank, world, start), batch_size=None) for start in (run.start, 9))
    trainer.fit(module, train, val, ckpt_path=run.resume)
    if run.save:
        save_file(average.average, run.save / f"average{rank}.safetensors")
        probe.seen["updates"] = average.updates
    return probe.seen


def shipped_precision(stage: int) -> Any:
    """What the trainer files of this stage set."""
    return yaml.safe_load((TRAINERS / f"zero{stage}_8gpu.yaml").read_text())["trainer"]["precision"]


def runs(folder: Path) -> dict[str, Run]:
    """The runs every strategy makes, each writing below ``folder``."""
    first = folder / "first"
    return {
        "plain": Run(save=first),
        "resumed": Run(save=folder / "again", start=2, resume=first / "step=2.ckpt"),
        "accumulated": Run(max_steps=2, optimizer="sgd", accumulate=2),
        "checkpointed": Run(max_steps=2, checkpointing=True),
        "fused": Run(max_steps=2, fused=True),
        "micro": Run(max_steps=2, optimizer="sgd", micro=True, weights=folder / "micro"),
        "clipped": Run(max_steps=2, optimizer="sgd", micro=True, clip=1e-3, weights=folder / "clipped"),
        "half": Run(max_steps=1, half=True, weights=folder / "half"),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rank", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    seen: dict[Any, Any] = {
        stage: {
            name: fit(run, args.source, CPUZeroStrategy(stage=stage), world=2, rank=args.rank)
            for name, run in runs(args.folder / f"zero{stage}").items()
        }
        for stage in (2, 3)
    }
    plain = DDPStrategy(process_group_backend="gloo")
    micro = runs(args.folder / "ddp")["micro"]
    seen["ddp"] = {"micro": fit(micro, args.source, plain, world=2, rank=args.rank)}
    (args.folder / f"rank{args.rank}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main()
