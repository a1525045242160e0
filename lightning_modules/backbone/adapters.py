"""LoRA sets by name, passed as arguments.

PEFT keeps "which adapter is active" as global state of the model. With two adapters in one training step that state is
a trap: switching it turns off the gradient of the other set, and gradient checkpointing recomputes the first pass with
the second pass's adapter, giving the right loss and wrong gradients. Here a :class:`LoRASet` lives beside the frozen
backbone, is chosen by name per token group, and reaches the checkpointed block as an argument.

Files are diffusers/PEFT LoRA files: ``pipe.load_lora_weights`` takes them.
"""

import json
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, cast

import torch
from jaxtyping import Float
from peft import LoraConfig
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from lightning_modules.sharding.zero_init import gathered, initialize

PREFIX = "transformer"
PEFT_METADATA = "lora_adapter_metadata"
OUR_METADATA = "troupe"

ATTENTION = ("attn.to_q", "attn.to_k", "attn.to_v")
TEXT_ATTENTION = ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")
ATTENTION_OUT = ("attn.to_out.0", "attn.to_add_out")
FEED_FORWARD = (
    "ff.net.0.proj",
    "ff.net.2",
    "ff_context.net.0.proj",
    "ff_context.net.2",
    "proj_mlp",
    "proj_out",
)


@dataclass(frozen=True)
class LoRASpec:
    """Size and place of a LoRA set.

    Attributes:
        rank: rank r of the update B A.
        alpha: the update is scaled by alpha / rank; None means alpha = rank.
        targets: endings of the names of the linear layers that get an update.
        branch: ``all`` tokens, or those of ``condition`` groups only (SkeleGuide Eq. (3)). A condition set leaves out
            the layers that no condition token reaches, which would never get a gradient.
    """

    rank: int = 16
    alpha: float | None = None
    targets: tuple[str, ...] = ATTENTION
    branch: Literal["all", "condition"] = "all"

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"rank: must be at least 1, got {self.rank}")
        if not self.targets:
            raise ValueError("targets: name at least one linear layer, for example attn.to_q")

    @property
    def scale(self) -> float:
        """alpha / rank."""
        return (self.rank if self.alpha is None else self.alpha) / self.rank


class LoRASet(nn.Module):
    """One named set of low-rank updates W x + scale * B A x; zero at initialisation.

    A is drawn as PEFT draws it (Kaiming uniform with a = sqrt 5), B is zero.

    Args:
        spec: size and place.
        layers: names and (out, in) sizes of the backbone's linear layers.

    Raises:
        ValueError: if no layer matches ``spec.targets``.
    """

    def __init__(self, spec: LoRASpec, layers: Mapping[str, tuple[int, int]]) -> None:
        super().__init__()
        chosen = {
            n: size for n, size in layers.items() if any(n == t or n.endswith("." + t) for t in spec.targets)
        }
        if spec.branch == "condition":
            unread = _unread_by_conditions(layers)
            chosen = {n: size for n, size in chosen.items() if n not in unread}
        if not chosen:
            raise ValueError(
                f"targets: none of {spec.targets} ends the name of a linear layer; there are for example "
                f"{sorted({n.split('.', 2)[-1] for n in layers})[:12]}"
            )
        self.spec = spec
        self.layers = tuple(chosen)
        # Modules, not bare parameters: ZeRO-3 gathers a parameter when the module that owns it is called.
        self.down = nn.ModuleDict(
            {_key(n): nn.Linear(size[1], spec.rank, bias=False) for n, size in chosen.items()}
        )
        self.up = nn.ModuleDict(
            {_key(n): nn.Linear(spec.rank, size[0], bias=False) for n, size in chosen.items()}
        )
        initialize(self, self.reset_parameters)

    def reset_parameters(self) -> None:
        """Draw A anew and set B to zero: the backbone is unchanged."""
        for name in self.down:
            nn.init.kaiming_uniform_(cast(Tensor, self.down[name].weight), a=math.sqrt(5))
            nn.init.zeros_(cast(Tensor, self.up[name].weight))

    def delta(self, layer: str, x: Float[Tensor, "*any i"]) -> Float[Tensor, "*any o"] | None:
        """scale * B A x for the layer called ``layer``; None where the set does not touch it."""
        key = _key(layer)
        if key not in self.down:
            return None
        down = self.down[key]
        hidden = down(x.to(cast(Tensor, down.weight).dtype))
        return cast(Tensor, self.spec.scale * self.up[key](hidden)).to(x.dtype)

    def fuse_into(self, network: nn.Module) -> None:
        """Add the updates to the weights of ``network``'s layers, in float32, rounded once to their dtype.

        Collective under ZeRO-3.
        """
        for layer in self.layers:
            weight = cast(nn.Parameter, network.get_submodule(layer).weight)
            down, up = (cast(nn.Parameter, half[_key(layer)].weight) for half in (self.down, self.up))
            with torch.no_grad(), gathered([down, up]), gathered([weight], writable=True):
                if weight.numel():
                    update = self.spec.scale * up.float() @ down.float()
                    weight.copy_(weight.float() + update.to(weight.device))

    def peft_state(self) -> dict[str, Tensor]:
        """The tensors under the names diffusers and PEFT use."""
        state = {}
        for layer in self.layers:
            for letter, half in (("A", self.down), ("B", self.up)):
                weight = cast(nn.Parameter, half[_key(layer)].weight)
                # Collective under ZeRO-3: every rank calls this and gets the tensors in full.
                with gathered([weight]):
                    state[f"{PREFIX}.{layer}.lora_{letter}.weight"] = weight.detach().clone()
        return state

    def save(self, path: str | Path, scope: Mapping[str, Any] | None = None, write: bool = True) -> None:
        """Write a diffusers LoRA file.

        Collective under ZeRO-3: every rank calls it, and the one with ``write`` writes.

        Args:
            path: file to write; its folder must exist.
            scope: how the set is meant to be used (token groups, visibility, time). A plain diffusers file cannot
                say that a set belongs to condition tokens only; we write it under a key of our own, which diffusers
                ignores and :meth:`load` returns.
            write: whether this rank writes.
        """
        state = {k: v.contiguous() for k, v in self.peft_state().items()}
        if not write:
            return
        peft = LoraConfig(
            r=self.spec.rank,
            lora_alpha=cast(int, self.spec.scale * self.spec.rank),
            target_modules=list(self.layers),
        ).to_dict()
        plain = {f"{PREFIX}.{k}": sorted(v) if isinstance(v, set) else v for k, v in peft.items()}
        metadata = {
            "format": "pt",
            PEFT_METADATA: json.dumps(plain, default=str, sort_keys=True),
            OUR_METADATA: json.dumps({"spec": asdict(self.spec), "scope": dict(scope or {})}, sort_keys=True),
        }
        target = Path(path)
        partial = target.with_suffix(".partial")
        save_file(state, partial, metadata=metadata)
        partial.replace(target)

    @classmethod
    def load_for(
        cls,
        path: str | Path,
        scope: dict[str, Any] | None,
        layers: Container[str],
        fused: Sequence[str] = (),
    ) -> Self:
        """Read a set for a use: the scope it was saved with (None takes any), the layers there are, and sets fused.

        Raises:
            ValueError: if the set was trained for another use, for layers that are not there, or beside other fused
                sets; a file that says nothing of its use is believed.
        """
        lora, trained = cls.load(path)
        told = bool(trained)
        beside = trained.pop("fused", [])
        if told and beside != list(fused):
            raise ValueError(
                f"path: {path} was trained on weights with {beside} fused, and this backbone has {list(fused)}; "
                "use its configuration"
            )
        if scope is not None and trained != scope:
            raise ValueError(
                f"path: {path} was trained as {trained}, and is used here as {scope}; use its configuration"
            )
        if unknown := sorted(layer for layer in lora.layers if layer not in layers):
            raise ValueError(
                f"path: {path} updates layers this backbone does not have, for example {unknown[0]}"
            )
        return lora

    @classmethod
    def load(cls, path: str | Path) -> tuple[Self, dict[str, Any]]:
        """A set, on the CPU, and its scope from a file of :meth:`save` or of ``FluxPipeline.save_lora_weights``.

        Raises:
            ValueError: if the file holds no LoRA tensors under ``transformer.``.
        """
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
        downs = {
            k.split(".", 1)[1][: -len(".lora_A.weight")]: v
            for k, v in state.items()
            if k.endswith("lora_A.weight")
        }
        if not downs:
            raise ValueError(
                f"path: {path} holds no tensors named {PREFIX}.<layer>.lora_A.weight; is it a LoRA file?"
            )
        ups = {n: state[f"{PREFIX}.{n}.lora_B.weight"] for n in downs}
        rank = next(iter(downs.values())).shape[0]
        peft = json.loads(metadata.get(PEFT_METADATA, "{}"))
        ours = json.loads(metadata.get(OUR_METADATA, "{}"))
        spec = LoRASpec(rank=rank, alpha=float(peft.get(f"{PREFIX}.lora_alpha", rank)), targets=tuple(downs))
        with torch.device("cpu"):  # where the tensors are, wherever a model is being built
            lora = cls(spec, {n: (ups[n].shape[0], downs[n].shape[1]) for n in downs})
        lora.spec = replace(spec, branch=ours.get("spec", {}).get("branch", spec.branch))
        with torch.no_grad():
            for name in downs:
                for half, tensors in ((lora.down, downs), (lora.up, ups)):
                    weight = cast(nn.Parameter, half[_key(name)].weight)
                    with gathered([weight], writable=True):
                        weight.copy_(tensors[name])
        return lora, ours.get("scope", {})


def apply_linear(
    module: nn.Module, layer: str, x: Float[Tensor, "*any i"], adapters: Iterable[LoRASet]
) -> Float[Tensor, "*any o"]:
    """The frozen linear layer called ``layer``, plus the updates of the given sets."""
    out = cast(Tensor, module(x))
    for adapter in adapters:
        delta = adapter.delta(layer, x)
        if delta is not None:
            out = out + delta
    return out


def _unread_by_conditions(layers: Iterable[str]) -> set[str]:
    """Layers that condition tokens do not pass, or whose result for them nobody reads.

    The text's own layers of double-stream blocks, and of the last single-stream block all but keys and values.
    """
    names = list(layers)
    text = (*TEXT_ATTENTION, "attn.to_add_out", "ff_context.net.0.proj", "ff_context.net.2")
    single = [n for n in names if n.startswith("single_transformer_blocks.")]
    last = max((int(n.split(".")[1]) for n in single), default=-1)
    final = {n for n in single if n.startswith(f"single_transformer_blocks.{last}.")}
    return {n for n in names if n.endswith(text)} | {n for n in final if not n.endswith(("to_k", "to_v"))}


def _key(layer: str) -> str:
    """Parameter names may not contain dots."""
    return layer.replace(".", "/")
