"""Images whose judge is a server: judged while the next are drawn, or each group before the next."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch

from benchmarks.speed.rounds import Case
from datamodules.groups import CountCurriculum, GroupBatch, WholeGroups
from datamodules.multi_human import GroupBatches
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.policy.module import ADAPTER
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Sampling
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.preference import PreferenceReward
from rewards.scorers.vlm_judge import VLMJudge
from rewards.stack import RewardStack, RewardTerm


@contextmanager
def slow_server(seconds: float) -> Iterator[str]:
    """The address of a model that thinks for ``seconds`` and says 5, whatever it is shown."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"choices": [{"message": {"content": "5"}}]}).encode())

        def log_message(self, *_: object) -> None:
            """Nothing: the terminal belongs to the suite."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


class JudgedGroups:
    """Cases ``overlapped`` and ``in_turn``: the same groups drawn by Ar2Can's Artist and judged by a slow server.

    Both count the ``images`` judged. One group is one forward pass and one question to the server.

    Args:
        seconds: the server thinks about each image of a group, about all of them at once.
        groups: groups.
        group_size: images of each.
        steps: of a sampling run.
    """

    def __init__(self, seconds: float, groups: int, group_size: int, steps: int) -> None:
        if not seconds > 0:
            raise ValueError(f"seconds: {seconds} must be above 0")
        self.seconds, self.steps = seconds, steps
        self.sampler = WholeGroups(groups, group_size)

    def cases(self) -> dict[str, Case]:
        """All groups as one batch, and each as a batch of its own."""
        together = GroupBatches(self.sampler, CountCurriculum(switch=-1), "train", 0, lambda: 0).batch(0)
        size = self.sampler.group_size
        groups = zip(together.members.split(size), together.groups.split(size), strict=True)
        apart = [GroupBatch(together.scenes, members, group) for members, group in groups]
        backbone = FluxBackbone(
            "flux_tiny", dtype="bfloat16", adapters={ADAPTER: LoRASpec(rank=4)}
        ).configure()
        return {
            "overlapped": partial(self._judged, backbone, [together]),
            "in_turn": partial(self._judged, backbone, apart),
        }

    def _judged(self, backbone: FluxBackbone, batches: list[GroupBatch]) -> dict[str, float]:
        size = self.sampler.group_size
        with slow_server(self.seconds) as address, torch.no_grad():
            judge = PreferenceReward(VLMJudge(address, "slow", parallel=size))
            rewards = RewardStack(TinyAnalyzer(), {"judge": RewardTerm(judge)})
            module = GRPOArtistModule(
                backbone, rewards, Sampling(steps=self.steps), recipe=GRPORecipe(micro_batch=size)
            )
            tables = [module.draw_and_judge(batch, (0,))[1] for batch in batches]
        return {"images": float(sum(int(table.raw.isfinite().sum()) for table in tables))}
