"""The paper's PoseInverter: Qwen2.5-VL fine-tuned to answer with the JSON of ``pose_text`` (SkeleGuide, section 3.4).

    python -m lightning_modules.cli fit -c configs/trainer/one_gpu.yaml -c configs/skeleguide/pose_inverter_paper.yaml

Question and answer form are ours, since the paper prints neither. Checked with small made-up weights: that it learns a
layout by heart and reads it back. Not checked, for want of the 7B model: how well it reads.
"""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import peft
import torch
import transformers
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from datamodules.schema.human_in_place import HumanInPlace
from lightning_modules.skeleguide.pose_inverter import PoseInverter
from lightning_modules.skeleguide.pose_text import PoseError, Poses, decode_answer, encode
from lightning_modules.skeleguide.trainable_inverter import TrainableInverter
from rewards.weights import WeightsCard, write_card

logger = logging.getLogger(__name__)

QUESTION = (
    "Skeletons are drawn over this picture: limbs in fixed colours, joints as white dots. List every person from left "
    'to right as JSON, {"people": [{"nose": [x, y, v, confidence], ...}]}, with the COCO-17 joints that are there, x '
    "and y from 0 to 1 of the picture, v 1 for a hidden and 2 for a visible joint. Answer with the JSON alone."
)
COMMAND = (
    "python -m lightning_modules.cli fit -c configs/trainer/one_gpu.yaml "
    "-c configs/skeleguide/pose_inverter_paper.yaml"
)
DIGITS = 3
ADAPTER = "pose_inverter_lora"
_PROJECTIONS = [
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
]  # the language model's; the picture's have other names
_IGNORED = -100


class QwenPoseInverter(TrainableInverter, PoseInverter):
    """Qwen2.5-VL with a LoRA on its language model, or fine-tuned as a whole.

    Args:
        source: local folder of Qwen2.5-VL-7B-Instruct; nothing is downloaded.
        adapter: folder of a LoRA trained before, to go on from or to read with.
        rank: of the LoRA; 0 trains every weight of the language model and the picture's encoder.
        dtype: precision of the frozen weights.
        max_new_tokens: longest answer; seven people take about 3,000 tokens.
        checkpointing: recompute activations in the backward pass, to save memory.

    Raises:
        ValueError: if ``source`` or ``adapter`` is no such folder, or a number is out of range.
    """

    def __init__(
        self,
        source: str,
        adapter: str | None = None,
        rank: int = 64,
        dtype: Literal["float32", "bfloat16"] = "bfloat16",
        max_new_tokens: int = 4096,
        checkpointing: bool = True,
    ) -> None:
        super().__init__()
        if not (Path(source) / "config.json").is_file():
            raise ValueError(
                f"source: {source} holds no config.json; give a local folder of Qwen/Qwen2.5-VL-7B-Instruct"
            )
        if adapter is not None and not (Path(adapter) / "adapter_config.json").is_file():
            raise ValueError(
                f"adapter: {adapter} holds no adapter_config.json; give a folder written by training"
            )
        if rank < 0 or max_new_tokens < 1:
            raise ValueError(f"rank, max_new_tokens: {rank} and {max_new_tokens}; at least 0 and 1")
        self.source, self.adapter, self.rank = source, adapter, rank
        self.dtype, self.max_new_tokens, self.checkpointing = dtype, max_new_tokens, checkpointing
        self.architecture = {"rank": rank}
        self.model: Any = None
        self._processor: Any = None

    def configure(self) -> None:
        """Load the weights, once; on the meta device only their shapes."""
        if self.model is not None:
            return
        kind, dtype = transformers.Qwen2_5_VLForConditionalGeneration, getattr(torch, self.dtype)
        if torch.get_default_device().type == "meta":
            model = kind(transformers.Qwen2_5_VLConfig.from_pretrained(self.source, local_files_only=True))
        else:
            model = kind.from_pretrained(self.source, dtype=dtype, local_files_only=True)
        if self.adapter is not None:
            model = peft.PeftModel.from_pretrained(model, self.adapter, is_trainable=True)
        elif self.rank:
            recipe = peft.LoraConfig(r=self.rank, lora_alpha=self.rank, target_modules=_PROJECTIONS)
            model = peft.get_peft_model(model, recipe)
        if self.checkpointing:
            model.enable_input_require_grads()  # or nothing below a frozen embedding would be trained
            model.gradient_checkpointing_enable({"use_reentrant": False})
        self.model = model

    @property
    def processor(self) -> Any:
        """Tokenizer, chat template and picture preparation of ``source``."""
        if self._processor is None:
            self._processor = transformers.Qwen2_5_VLProcessor.from_pretrained(
                self.source, local_files_only=True
            )
        return self._processor

    def losses(self, images: Float[Tensor, "b 3 h w"], batch: HumanInPlace) -> dict[str, Float[Tensor, ""]]:
        """``answer``: mean cross-entropy of the answer's tokens, the end of the turn included."""
        self.configure()
        ends = self.processor.tokenizer.eos_token
        question = self._question()
        answers = [
            encode(_from_left(Poses.of(keypoints[valid])), DIGITS) + ends
            for keypoints, valid in zip(batch.layout.keypoints, batch.layout.valid, strict=True)
        ]
        inputs = self._inputs(images, [question + answer for answer in answers], "right")
        labels = torch.full_like(inputs["input_ids"], _IGNORED)
        for row, answer in enumerate(answers):
            length = len(self.processor.tokenizer(answer, add_special_tokens=False)["input_ids"])
            last = int(inputs["attention_mask"][row].sum())
            labels[row, last - length : last] = inputs["input_ids"][row, last - length : last]
        return {"answer": self.model(**inputs, labels=labels, use_cache=False).loss}

    @torch.no_grad()
    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[Poses]:
        """The people of each image, by greedy decoding; an answer that is no pose is logged and means nobody."""
        self.configure()
        training = self.model.training
        self.model.eval()
        inputs = self._inputs(images, [self._question()] * len(images), "left")
        tokens = self.model.generate(
            **inputs,
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            pad_token_id=self.processor.tokenizer.pad_token_id,
            eos_token_id=self.processor.tokenizer.eos_token_id,
        )
        self.model.train(training)
        written = tokens[:, inputs["input_ids"].shape[1] :]
        return [_poses(answer) for answer in self.processor.batch_decode(written, skip_special_tokens=True)]

    def invert(self, images: Float[Tensor, "b 3 h w"]) -> list[Poses]:
        """The people drawn in each image."""
        return self.read(images)

    def save(self, folder: Path, card: WeightsCard) -> None:
        """Write the LoRA (or the whole model, for rank 0) and its card."""
        target = folder / ADAPTER
        self.model.save_pretrained(target)
        files = sorted(target.glob("*.safetensors"))
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
        write_card(replace(card, name=files[0].stem, command=COMMAND, sha256=digest), target)

    def _question(self) -> str:
        content = [{"type": "image"}, {"type": "text", "text": QUESTION}]
        return cast(
            str,
            self.processor.apply_chat_template(
                [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
            ),
        )

    def _inputs(self, images: Float[Tensor, "b 3 h w"], texts: list[str], side: str) -> Any:
        """What the model reads, padded on ``side``."""
        self.processor.tokenizer.padding_side = side
        inputs = self.processor(
            text=texts, images=[_picture(image) for image in images], padding=True, return_tensors="pt"
        )
        return inputs.to(self.model.device)


def _picture(image: Float[Tensor, "3 h w"]) -> Image.Image:
    return to_pil_image((image.detach().cpu().float().clamp(0, 1) * 255).round().to(torch.uint8))


def _from_left(poses: Poses) -> Poses:
    """People with a joint, ordered by the mean x of their joints."""
    known = poses.keypoints[..., 2] > 0
    centre = (poses.keypoints[..., 0] * known).sum(1) / known.sum(1).clamp(min=1)
    order = centre.argsort()
    order = order[known.any(dim=1)[order]]
    return Poses(poses.keypoints[order], poses.confidence[order])


def _poses(answer: str) -> Poses:
    try:
        return decode_answer(answer)
    except PoseError as error:
        logger.warning("no pose in the answer %r: %s", answer[:80], error)
        return Poses(torch.zeros(0, 17, 3), torch.zeros(0, 17))
