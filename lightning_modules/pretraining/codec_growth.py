"""A deeper decoder that starts as the old one: residual blocks are the identity until they are trained."""

from torch import nn

from lightning_modules.backbone.autoencoder import PatchAutoencoder, ResidualBlock


def deepen(codec: PatchAutoencoder, old: PatchAutoencoder) -> None:
    """Make ``codec`` compute what ``old`` computes, and freeze its encoder.

    Args:
        codec: of the same widths, freshly built; its decoder may have more blocks in each stage.
        old: trained.

    Raises:
        ValueError: if a stage of ``codec`` has fewer blocks, or the widths differ.
    """
    for name in ("linear_encoder", "encoder", "linear_decoder"):
        _copy(getattr(codec, name), getattr(old, name), name)
    new_parts, old_parts = _stages(codec.decoder), _stages(old.decoder)
    if len(new_parts) != len(old_parts):
        raise ValueError(
            f"start: decoders of {len(old_parts)} and {len(new_parts)} stages are not one design"
        )
    for stage, (new, known) in enumerate(zip(new_parts, old_parts, strict=True)):
        if len(new) < len(known):
            raise ValueError(
                f"start: stage {stage} has {len(known)} blocks; the new decoder has only {len(new)}"
            )
        for part, source in zip(new, known, strict=False):
            _copy(part, source, "decoder")
    for frozen in (codec.linear_encoder, codec.encoder):
        frozen.requires_grad_(False)
    codec.register_to_config(scaling_factor=old.config.scaling_factor, shift_factor=old.config.shift_factor)


def _stages(decoder: nn.Sequential) -> list[list[nn.Module]]:
    """Layers, with neighbouring residual blocks in one list."""
    stages: list[list[nn.Module]] = []
    for layer in decoder:
        if isinstance(layer, ResidualBlock) and stages and isinstance(stages[-1][-1], ResidualBlock):
            stages[-1].append(layer)
        else:
            stages.append([layer])
    return stages


def _copy(new: nn.Module, old: nn.Module, name: str) -> None:
    try:
        new.load_state_dict(old.state_dict())
    except RuntimeError as error:
        raise ValueError(f"start: the {name} of the codec to go on from has other widths: {error}") from error
