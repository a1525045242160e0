"""A vision-language model behind an OpenAI-compatible endpoint, asked for one digit per image.

Local servers (vLLM, SGLang, llama.cpp, Ollama) and hosted models speak the same protocol. Images go as PNG, without
loss. The answer must be a single digit: anything else is a failure of the judge and is reported, never scored as zero.
"""

import base64
import io
import logging
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import requests
import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from datamodules.schema.interfaces import Scorer
from rewards.base import RewardUnavailable

logger = logging.getLogger(__name__)

PREFERENCE = (
    "How well does this image show: {prompt}\n"
    "Judge prompt agreement, anatomy and image quality together. Answer with one digit, from 0 (worst) to 9 (best)."
)
MAX_ATTEMPTS = 5
_ANSWER = re.compile(r"\s*([0-9])\s*\.?\s*")
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504}


class Answer(NamedTuple):
    """What came of one question.

    Attributes:
        score: (digit + 1) / 10, or NaN where the judge failed.
        reason: why it failed; empty where it did not.
    """

    score: float
    reason: str


class VLMJudge(Scorer):
    """The digit d of the model's answer, as (d + 1) / 10 like MultiHuman-Testbench; NaN where the judge failed.

    Args:
        url: base address of the server, for example ``http://127.0.0.1:8000/v1``.
        model: name the server knows the model by.
        question: asked about every image; ``{prompt}`` stands for its prompt.
        key_variable: environment variable that holds the server's key; none is sent if it is not set.
        timeout: seconds to wait for an answer.
        attempts: how often an image is sent before its judgement counts as failed, at most 5.
        parallel: images asked about at a time.

    Raises:
        ValueError: if ``attempts`` or ``parallel`` is out of range, or ``url`` is not http.
    """

    def __init__(
        self,
        url: str,
        model: str,
        question: str = PREFERENCE,
        key_variable: str = "OPENAI_API_KEY",
        timeout: float = 60.0,
        attempts: int = 3,
        parallel: int = 4,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"url: {url!r} is not an address such as http://127.0.0.1:8000/v1")
        if not 1 <= attempts <= MAX_ATTEMPTS or parallel < 1:
            raise ValueError(
                f"attempts, parallel: {attempts} must lie in 1..{MAX_ATTEMPTS}, {parallel} be at least 1"
            )
        self.url, self.model, self.question = url.rstrip("/"), model, question
        self.key_variable, self.timeout = key_variable, timeout
        self.attempts, self.parallel = attempts, parallel
        self.pause = 0.5  # seconds before the second attempt, doubled for each further one

    def score(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Float[Tensor, " b"]:
        """One judgement per image.

        Raises:
            RewardUnavailable: if no image at all could be judged.
        """
        questions = [self.question.replace("{prompt}", prompt) for prompt in prompts]
        scores = self.ask(images, questions)
        if len(scores) and bool(scores.isnan().all()):
            raise RewardUnavailable(
                f"{self.model} at {self.url} judged none of {len(scores)} images; see the log"
            )
        return scores

    def ask(self, images: Float[Tensor, "b 3 h w"], questions: Sequence[str]) -> Float[Tensor, " b"]:
        """One question per image; (digit + 1) / 10, or NaN."""
        return torch.tensor([answer.score for answer in self.answers(images, questions)])

    def answers(self, images: Float[Tensor, "b 3 h w"], questions: Sequence[str]) -> list[Answer]:
        """One question per image, and what came of it."""
        key = os.environ.get(self.key_variable)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with ThreadPoolExecutor(self.parallel) as pool:
            return list(
                pool.map(lambda pair: self._judge(headers, *pair), zip(images, questions, strict=True))
            )

    def _judge(self, headers: dict[str, str], image: Float[Tensor, "3 h w"], question: str) -> Answer:
        """The judgement, or why there is none after the last attempt."""
        reason = ""
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(self.pause * 2 ** (attempt - 1))
            try:
                reply = requests.post(
                    f"{self.url}/chat/completions",
                    json=self._request(image, question),
                    headers=headers,
                    timeout=self.timeout,
                )
            except requests.RequestException as error:
                reason = f"{type(error).__name__}: {error}"
                continue
            if reply.status_code in _PASSING:
                reason = f"status {reply.status_code}"
                continue
            if reply.status_code != requests.codes.ok:
                reason = f"status {reply.status_code}: {reply.text[:200]}"
                break  # asking again would be refused again
            digit, reason = _digit(reply)
            if digit is not None:
                return Answer((digit + 1) / 10, "")
        logger.warning("judge %s at %s: no answer for one image (%s)", self.model, self.url, reason)
        return Answer(float("nan"), reason)

    def _request(self, image: Float[Tensor, "3 h w"], question: str) -> Any:
        buffer = io.BytesIO()
        to_pil_image(image.detach().cpu().float().clamp(0, 1)).save(buffer, format="PNG")
        picture = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        content = [
            {"type": "image_url", "image_url": {"url": picture}},
            {"type": "text", "text": question},
        ]
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": 4,
            "temperature": 0,
        }


def _digit(reply: requests.Response) -> tuple[int | None, str]:
    """The digit of a reply, or why there is none."""
    try:
        text = reply.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        return None, f"not a chat completion: {reply.text[:200]!r}"
    found = _ANSWER.fullmatch(text) if isinstance(text, str) else None
    return (int(found[1]), "") if found else (None, f"answer {str(text)[:80]!r} is not one digit")
