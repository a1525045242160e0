"""Human Preference Score v3: Qwen2-VL-7B with a reward head (Ma et al. 2025, arXiv 2508.03789).

The public package ``hpsv3`` asks for transformers 4.45 and cannot be installed beside ours; its steps are written anew
on the installed Qwen2-VL classes: the question in ``hpsv3_question``, the network in ``hpsv3_network``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

from datamodules.schema.interfaces import Scorer
from rewards.scorers.hpsv3_network import HPSv3Network, load_network
from rewards.scorers.hpsv3_question import QUESTION, REWARD_TOKEN

PIXELS = 256 * 28 * 28  # every picture is scaled to about this many


class HPSv3Scorer(Scorer):
    """Expected preference for each image, not bounded: generators average -0.2 (SD 2) to 10.6 (Kolors) in its table.

    A sum of rewards needs it brought down to the others' range: ``PreferenceReward(scorer, scale=0.1, shift=0)``.

    Checked on small made-up weights: tokens, patches and predictions equal those of ``hpsv3`` 1.0.0 on transformers
    4.45.2. Not checked, for want of the 7B model: its published scores, the names in HPSv3.safetensors (the layouts of
    transformers before and since 4.52 are read, any other is refused), its tokenizer in today's transformers, and speed
    and memory on a GPU. The package uses flash-attn where installed, here it is PyTorch's attention: equal but for
    rounding.

    Args:
        backbone: local folder of Qwen2-VL-7B-Instruct, of which configuration, tokenizer, chat template and image
            processor are read; its weights need not be there.
        checkpoint: local ``HPSv3.safetensors`` (huggingface.co/MizzenAI/HPSv3); nothing is downloaded.
        dtype: precision of all but the head; the released model is used in bfloat16.
        device: where it runs.
        batch_size: images per network call.
        max_prompt_tokens: longer prompts are cut to this; question and picture take about 1000 tokens more.

    Raises:
        ValueError: if ``backbone`` or ``checkpoint`` is not there, or ``max_prompt_tokens`` is below 1.
    """

    def __init__(
        self,
        backbone: str,
        checkpoint: str,
        dtype: Literal["bfloat16", "float32"] = "bfloat16",
        device: str = "cpu",
        batch_size: int = 4,
        max_prompt_tokens: int = 1024,
    ) -> None:
        if not (Path(backbone) / "config.json").is_file():
            raise ValueError(
                f"backbone: {backbone} holds no config.json; give a local folder of Qwen/Qwen2-VL-7B-Instruct"
            )
        if not Path(checkpoint).is_file():
            raise ValueError(
                f"checkpoint: {checkpoint} is no file; download HPSv3.safetensors from huggingface.co/MizzenAI/HPSv3 "
                "and give its path"
            )
        if max_prompt_tokens < 1:
            raise ValueError(f"max_prompt_tokens: {max_prompt_tokens}; keep at least 1 token of a prompt")
        self.backbone, self.checkpoint, self.dtype = backbone, checkpoint, dtype
        self.device, self.batch_size, self.max_prompt_tokens = device, batch_size, max_prompt_tokens
        self._loaded: tuple[Any, HPSv3Network] | None = None

    def score(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Float[Tensor, " b"]:
        """The mean of the predicted preference."""
        return self.predict(images, prompts)[:, 0]

    @torch.no_grad()
    def predict(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Float[Tensor, "b 2"]:
        """Mean, and logarithm of the standard deviation, of the preference for images in [0, 1] of any size.

        Raises:
            ValueError: if there is not one prompt per image, a prompt holds a token of the chat format, ``checkpoint``
                does not fit ``backbone``, or an image is more than 200 times as long as wide.
        """
        if len(images) != len(prompts):
            raise ValueError(f"prompts: {len(prompts)} for {len(images)} images; give one per image")
        processor, network = self._parts()
        token = processor.tokenizer.convert_tokens_to_ids(REWARD_TOKEN)
        found = []
        for inputs in self._batches(images, prompts):
            found.append(
                network(
                    tokens=inputs["input_ids"],
                    valid=inputs["attention_mask"],
                    patches=inputs["pixel_values"].to(getattr(torch, self.dtype)),
                    grid=inputs["image_grid_thw"],
                    reward_token=token,
                )
            )
        return torch.cat(found)

    def _batches(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Iterator[Any]:
        """What the network reads, ``batch_size`` images at a time."""
        processor = self._parts()[0]
        for start in range(0, len(images), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield processor(
                text=[self._conversation(prompt) for prompt in prompts[part]],
                images=[self._picture(image) for image in images[part]],
                padding=True,
                return_tensors="pt",
            ).to(self.device)

    def _conversation(self, prompt: str) -> str:
        """The question about a prompt, in the backbone's chat format."""
        processor = self._parts()[0]
        for token in processor.tokenizer.get_added_vocab():
            if token in prompt:
                raise ValueError(f"prompts: {prompt!r} holds {token}, a token of the chat format; remove it")
        words = processor.tokenizer(prompt, return_offsets_mapping=True, add_special_tokens=False)
        ends = [end for _, end in words["offset_mapping"]]
        if len(ends) > self.max_prompt_tokens:
            prompt = prompt[: ends[self.max_prompt_tokens - 1]]
        content = [{"type": "image"}, {"type": "text", "text": QUESTION.format(text_prompt=prompt)}]
        return processor.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )

    def _picture(self, image: Float[Tensor, "3 h w"]) -> Image.Image:
        """In 8 bits, scaled by Pillow to the size at which the backbone's processor leaves it alone."""
        kind = self._parts()[0].image_processor
        height, width = smart_resize(
            image.shape[1],
            image.shape[2],
            factor=kind.patch_size * kind.merge_size,
            min_pixels=PIXELS,
            max_pixels=PIXELS,
        )
        levels = (image.detach().cpu().float().clamp(0, 1) * 255).round().to(torch.uint8)
        return to_pil_image(levels).resize((width, height), Image.Resampling.BICUBIC)

    def _parts(self) -> tuple[Any, HPSv3Network]:
        if self._loaded is None:
            processor = transformers.Qwen2VLProcessor.from_pretrained(self.backbone, local_files_only=True)
            processor.tokenizer.padding_side = "right"
            processor.tokenizer.add_tokens([REWARD_TOKEN], special_tokens=True)
            network = load_network(
                self.backbone, self.checkpoint, len(processor.tokenizer), getattr(torch, self.dtype)
            )
            self._loaded = processor, network.to(self.device)
        return self._loaded
