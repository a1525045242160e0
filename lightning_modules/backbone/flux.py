"""The FLUX backbone: stock diffusers weights, one branch-wise forward for all three methods.

The model is built in :meth:`FluxBackbone.configure`, never in ``__init__``, so that a LightningModule can build it
inside ``configure_model``, where sharding strategies want it, and so that a 12B configuration can be read without
weights.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lightning_modules.backbone.adapters import LoRASet, LoRASpec
from lightning_modules.backbone.blocks import DoubleState, SingleState, double_block, single_block
from lightning_modules.backbone.flux_source import FluxConfig, draw_transformer, load_transformer
from lightning_modules.backbone.positions import Rotary, rotary_table
from lightning_modules.backbone.prepared import (
    ConditionCache,
    PreparedSequence,
    cache_refusal,
    joined_rotary,
    sequence_routing,
)
from lightning_modules.backbone.routing import Branch
from lightning_modules.backbone.shipped_lora import lora_file
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.sharding import zero_init


class FluxBackbone(nn.Module):
    """A frozen FLUX transformer and its named LoRA sets.

    Args:
        source: a diffusers folder (of a pipeline or of a transformer), a hub id, or the name of a shipped model
            (``flux_tiny``); None draws random weights from ``config``.
        config: size of a model drawn at random; ignored where ``source`` is given.
        dtype: dtype of the frozen weights; LoRA sets stay in float32.
        gradient_checkpointing: recompute each block in the backward pass.
        adapters: LoRA sets to create, by name.
        fused: LoRA sets that become part of the frozen weights: names of shipped ones, or files.
    """

    def __init__(
        self,
        source: str | None = None,
        config: FluxConfig | None = None,
        dtype: str = "float32",
        gradient_checkpointing: bool = False,
        adapters: dict[str, LoRASpec] | None = None,
        fused: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if source is None and config is None:
            raise ValueError(
                "source, config: give a folder, a hub id or a shipped model's name, or a FluxConfig"
            )
        self.source = source
        self.flux_config = config
        self.dtype: torch.dtype = getattr(torch, dtype)
        self.gradient_checkpointing = gradient_checkpointing
        self.adapter_specs = dict(adapters or {})
        self.fused = tuple(fused)
        self.fused_names = tuple(Path(name).stem for name in fused)  # wherever their files are
        self.transformer: Any = None  # built by configure()
        self.adapters = nn.ModuleDict()

    def configure(self) -> Self:
        """Build the transformer and its LoRA sets; a second call does nothing.

        Raises:
            ValueError: if a fused set is missing, or was trained for layers that are not there.
        """
        if self.transformer is None:
            with zero_init.sharded_in(self.dtype):
                self.transformer = (
                    load_transformer(self.source, self.dtype)
                    if self.source
                    else draw_transformer(cast(FluxConfig, self.flux_config))
                )
            zero_init.cast(self.transformer, self.dtype)
            self._fuse()
            for name, spec in self.adapter_specs.items():
                self.add_adapter(name, spec)
        return self

    def _fuse(self) -> None:
        """Make the fused sets part of the weights, one after the other."""
        for k, name in enumerate(self.fused):
            lora = LoRASet.load_for(lora_file(name), None, self.linear_layers(), self.fused_names[:k])
            lora.fuse_into(self.transformer)

    def add_adapter(self, name: str, spec: LoRASpec) -> LoRASet:
        """Create a LoRA set; it changes nothing until it is trained.

        Raises:
            ValueError: if the name is taken.
        """
        if name in self.adapters:
            raise ValueError(
                f"name: there is a LoRA set called {name!r} already; sets are {sorted(self.adapters)}"
            )
        lora = LoRASet(spec, self.linear_layers())
        self.adapters[name] = lora
        return lora

    def load_adapter(self, name: str, path: str | Path, scope: dict[str, Any] | None = None) -> None:
        """Read a LoRA set from a diffusers file, as :meth:`LoRASet.load_for` does.

        Args:
            name: of the set in this backbone.
            path: the file.
            scope: how the set is to be used; None takes it however it was trained.
        """
        lora = LoRASet.load_for(path, scope, self.linear_layers(), self.fused_names)
        self.adapters[name] = lora.to(next(self.transformer.parameters()).device)

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """Names and (out, in) sizes of the linear layers inside the blocks."""
        return {
            name: (module.out_features, module.in_features)
            for name, module in self.transformer.named_modules()
            if isinstance(module, nn.Linear) and "blocks." in name and ".norm" not in name
        }

    def prepare(self, sequence: TokenSequence) -> PreparedSequence:
        """What does not change while the sequence is denoised; call it once for all steps of a sampling run.

        Raises:
            ValueError: if text and noise carry different LoRA sets.
        """
        drawn = len(sequence.noise)
        sequence = sequence.merged()
        if sequence.text.adapters != sequence.noise.adapters:
            raise ValueError(
                f"adapters: text has {sequence.text.adapters}, noise {sequence.noise.adapters}; single-stream blocks "
                "treat them as one sequence, so both must name the same sets"
            )
        axes = self.transformer.config.axes_dims_rope
        text, noise = rotary_table(sequence.text.ids, axes), rotary_table(sequence.noise.ids, axes)
        double, single = sequence_routing(sequence)
        return PreparedSequence(
            sequence=sequence,
            drawn=drawn,
            text=self.transformer.context_embedder(sequence.text.tokens.to(self.dtype)),
            conditions=tuple(
                self.transformer.x_embedder(c.tokens.to(self.dtype)) for c in sequence.conditions
            ),
            text_rotary=text,
            noise_rotary=noise,
            main_rotary=joined_rotary(text, noise),
            condition_rotary=tuple(rotary_table(c.ids, axes) for c in sequence.conditions),
            double=double,
            single=single,
        )

    def forward(
        self,
        sequence: TokenSequence | PreparedSequence,
        sigma: Float[Tensor, " b"],
        guidance: Float[Tensor, " b"] | None = None,
        cache: ConditionCache | None = None,
        text_modulation: Sequence[Float[Tensor, "b t c"]] | None = None,
        probe: Callable[[int, Tensor], None] | None = None,
    ) -> Float[Tensor, "b s c"]:
        """Velocity (noise minus data) of the noise tokens.

        Args:
            sequence: text, noise and conditions; prepared where it is used for many steps.
            sigma: time of the noise group, 1 = pure noise.
            guidance: guidance scale, for models that embed it.
            cache: keys and values of the conditions from :meth:`build_cache`.
            text_modulation: per double-stream block, offsets of the text tokens' modulation embedding (ASTRA's DSM).
            probe: is shown the index of each single-stream block and the noise tokens that leave it.

        Raises:
            ValueError: if the model embeds guidance and none is given, or text and noise carry different LoRA sets.
        """
        p = self.prepare(sequence) if isinstance(sequence, TokenSequence) else sequence
        image = self._branch(p.sequence, p.sequence.noise, sigma, guidance, p.noise_rotary)
        text = Branch(image.temb, p.text_rotary, image.adapters)
        conditions = () if cache else self._condition_branches(p, sigma, guidance)
        state = DoubleState(
            p.text,
            self.transformer.x_embedder(p.sequence.noise.tokens.to(self.dtype)),
            () if cache else p.conditions,
        )
        for i, block in enumerate(self.transformer.transformer_blocks):
            state, _ = self._run(
                double_block,
                block,
                f"transformer_blocks.{i}",
                state,
                (text, image, conditions),
                p.double,
                cache.double[i] if cache else (),
                text_modulation[i].to(self.dtype) if text_modulation else None,
            )
        texts = p.text.shape[1]
        joined = SingleState(
            torch.cat(cast(list[Tensor], [state.text, state.image]), dim=1), state.conditions
        )
        main = Branch(image.temb, p.main_rotary, image.adapters)
        blocks = self.transformer.single_transformer_blocks
        for i, block in enumerate(blocks):
            joined, _ = self._run(
                single_block,
                block,
                f"single_transformer_blocks.{i}",
                joined,
                (main, conditions),
                p.single,
                cache.single[i] if cache else (),
                i == len(blocks) - 1,
            )
            drawn = cast(Tensor, joined.main)[:, texts : texts + p.drawn]
            if probe is not None:
                probe(i, drawn)
        return cast(Tensor, self.transformer.proj_out(self.transformer.norm_out(drawn, main.temb)))

    def build_cache(self, sequence: TokenSequence | PreparedSequence) -> ConditionCache:
        """Run the conditions once and keep their keys and values for every later step.

        The cache holds for this pooled prompt, these conditions and LoRA sets; canvas, time and text tokens may change.

        Raises:
            ValueError: if caching would not be exact, with the reason.
        """
        p = self.prepare(sequence) if isinstance(sequence, TokenSequence) else sequence
        reason = cache_refusal(p.sequence, self.transformer.config.guidance_embeds)
        if reason:
            raise ValueError(f"sequence: conditions cannot be cached: {reason}")
        unused = p.sequence.pooled.new_zeros(p.sequence.pooled.shape[0])
        branches = self._condition_branches(p, unused, None)
        state = DoubleState(None, None, p.conditions)
        doubles, singles = [], []
        for i, block in enumerate(self.transformer.transformer_blocks):
            name = f"transformer_blocks.{i}"
            state, kv = self._run(
                double_block, block, name, state, (branches[0], branches[0], branches), p.double
            )
            doubles.append(kv)
        joined = SingleState(None, state.conditions)
        for i, block in enumerate(self.transformer.single_transformer_blocks):
            name = f"single_transformer_blocks.{i}"
            last = i == len(self.transformer.single_transformer_blocks) - 1
            joined, kv = self._run(
                single_block, block, name, joined, (branches[0], branches), p.single, (), last
            )
            singles.append(kv)
        return ConditionCache(tuple(doubles), tuple(singles))

    def _condition_branches(
        self, p: PreparedSequence, sigma: Float[Tensor, " b"], guidance: Tensor | None
    ) -> tuple[Branch, ...]:
        return tuple(
            self._branch(p.sequence, group, sigma, guidance, rotary)
            for group, rotary in zip(p.sequence.conditions, p.condition_rotary, strict=True)
        )

    def _branch(
        self,
        sequence: TokenSequence,
        group: TokenGroup,
        sigma: Float[Tensor, " b"],
        guidance: Tensor | None,
        rotary: Rotary,
    ) -> Branch:
        """Time embedding, rotation and LoRA sets of a group."""
        time = sigma if group.sigma is None else torch.full_like(sigma, group.sigma)
        scale = guidance if group.guidance is None else torch.full_like(sigma, group.guidance)
        pooled = sequence.pooled.to(self.dtype)
        time = time.to(self.dtype) * 1000
        if not self.transformer.config.guidance_embeds:
            temb = self.transformer.time_text_embed(time, pooled)
        elif scale is None:
            raise ValueError(
                "guidance: this model embeds the guidance scale; give one, for example 2.5 for Kontext"
            )
        else:
            temb = self.transformer.time_text_embed(time, scale.to(self.dtype) * 1000, pooled)
        missing = [name for name in group.adapters if name not in self.adapters]
        if missing:
            raise ValueError(
                f"adapters: no LoRA set called {missing[0]!r}; there are {sorted(self.adapters)}"
            )
        sets = tuple(cast(LoRASet, self.adapters[name]) for name in group.adapters)
        return Branch(temb, rotary, sets)

    def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a block, or checkpoint it; everything the block depends on is among the arguments."""
        if self.gradient_checkpointing and torch.is_grad_enabled():
            return checkpoint(function, *args, use_reentrant=False)
        return function(*args)
