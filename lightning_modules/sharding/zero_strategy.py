"""ZeRO strategies that ``configs/trainer/`` chooses by ``class_path``.

Lightning's own DeepSpeed strategy runs on CUDA only and has traps; these subclasses close them:

* With ``accumulate_grad_batches=N`` both Lightning and DeepSpeed divide the loss by N, so the gradient is N times
  too small. Adam hides most of it; clipping, epsilon and SGD do not. Here only Lightning divides.
* Half precision rounds the trained weights too, Lightning once and DeepSpeed again, and single precision doubles the
  frozen base. Here nobody casts: a model decides its own dtypes (frozen base in bfloat16, what is trained in float32,
  so that an update of a ten-thousandth is not lost), under ZeRO-3 from the moment a parameter is made. The trainer's
  precision is 32-true; DeepSpeed then steps float32 weights themselves and ZeRO-3 keeps no second copy.
* Every batch is cast to the trainer's precision, which our frozen batches refuse with an error, and which rounds
  pictures and coordinates. Here batches that are dataclasses stay as they are.
* The batch size is guessed by opening the training dataloader, which fails for ``DataLoader(batch_size=None)``.
  The guess is only used to log throughput, so it is fixed to 1.

Two traps remain with whoever writes a loop. Under ZeRO-3 every rank must run the same number of forwards: each
forward gathers parameters, and a rank that stops early leaves the others waiting. Gradients are DeepSpeed's to clip:
set the trainer's ``gradient_clip_val``, and in manual optimisation, where Lightning refuses it, step with
``sharding.clipped_step``; ``clip_gradients`` does nothing.

Nothing here imports deepspeed before a trainer with one of these strategies is built.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from typing import Any

import torch
from lightning.pytorch.plugins.precision import DeepSpeedPrecision
from lightning.pytorch.strategies import DeepSpeedStrategy
from lightning.pytorch.strategies.deepspeed import _DEEPSPEED_AVAILABLE
from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer

PRECISION = "32-true"


class UncastPrecision(DeepSpeedPrecision):
    """Weights, and batches that are dataclasses, keep the dtypes they were made with."""

    def convert_module(self, module: Module) -> Module:
        """The module as it is."""
        return module

    def convert_input(self, data: Any) -> Any:
        """Cast loose tensors only."""
        return data if is_dataclass(data) else super().convert_input(data)


class ZeroStrategy(DeepSpeedStrategy):
    """DeepSpeed ZeRO on GPUs, with gradients that equal plain data parallelism.

    Args:
        stage: 2 shards gradients and optimizer state, 3 also the parameters.
        exclude_frozen_parameters: checkpoints hold trained parameters only; the frozen base is rebuilt by
            ``configure_model``. Needs ``strict_loading = False`` on resume (``callbacks.adapter_checkpoint`` sets it).
        logging_batch_size_per_gpu: only labels DeepSpeed's throughput log.
        **kwargs: anything else that ``lightning.pytorch.strategies.DeepSpeedStrategy`` takes.

    Raises:
        ValueError: if deepspeed is not installed; when processes join, if the trainer's precision is not 32-true.
    """

    def __init__(
        self,
        stage: int = 2,
        exclude_frozen_parameters: bool = True,
        logging_batch_size_per_gpu: int = 1,
        **kwargs: Any,
    ) -> None:
        if not _DEEPSPEED_AVAILABLE:
            raise ValueError(
                f"trainer.strategy={type(self).__name__} needs deepspeed, which is not installed: "
                "pip install 'troupe[cluster]', or choose configs/trainer/one_gpu.yaml or cpu.yaml"
            )
        super().__init__(
            stage=stage,
            exclude_frozen_parameters=exclude_frozen_parameters,
            logging_batch_size_per_gpu=logging_batch_size_per_gpu,
            **kwargs,
        )

    def setup_distributed(self) -> None:
        """Open the process group."""
        # DeepSpeed calls collectives by names that torch has renamed: a warning per layer and step.
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed")
        chosen = self.precision_plugin.precision  # type: ignore[has-type]  # by the trainer
        if chosen != PRECISION:
            raise ValueError(
                f"trainer.precision={chosen!r} would make DeepSpeed round the trained weights; set {PRECISION!r}, "
                "and dtype: bfloat16 for the backbone, whose frozen weights alone are then halved"
            )
        self.precision_plugin = UncastPrecision(PRECISION)
        super().setup_distributed()

    @contextmanager
    def model_sharded_context(self) -> Iterator[None]:
        """Under ZeRO-3 cut up every parameter as it is made, in the dtype it is made with."""
        import deepspeed
        from deepspeed.runtime.zero.partition_parameters import DeepSpeedTensorOverride

        self._init_config_if_needed()
        with deepspeed.zero.Init(
            enabled=self.zero_stage_3,
            remote_device=self.remote_device,
            config_dict_or_path=self.config,
            tensor_overrides=[DeepSpeedTensorOverride.device],  # not the dtype
        ):
            yield

    def backward(
        self, closure_loss: Tensor, optimizer: Optimizer | None, *args: Any, **kwargs: Any
    ) -> Tensor:
        """Back-propagate without DeepSpeed's division: the caller has divided by the accumulation steps already."""
        return super().backward(closure_loss, optimizer, *args, **{"scale_wrt_gas": False, **kwargs})


class CPUZeroStrategy(ZeroStrategy):
    """The same sharding between CPU processes over gloo: what a cluster will do, seen on a laptop.

    Args:
        stage: 2 shards gradients and optimizer state, 3 also the parameters.
        **kwargs: anything else that ``ZeroStrategy`` takes.
    """

    def __init__(self, stage: int = 2, **kwargs: Any) -> None:
        super().__init__(stage=stage, **{"process_group_backend": "gloo", **kwargs})

    def setup_environment(self) -> None:
        """Join the processes, past Lightning's CUDA-only check."""
        # DeepSpeed compares the device index with integers; tensors still live on plain "cpu".
        ranks = len(self.parallel_devices or ())  # type: ignore[has-type]
        self.parallel_devices = [torch.device("cpu", i) for i in range(ranks)]
        super(DeepSpeedStrategy, self).setup_environment()

    def setup_distributed(self) -> None:
        """Open the process group with gloo alone."""
        import deepspeed.ops

        # The shared-memory kernel would be compiled at start-up and needs gcc and ninja; gloo needs neither.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        super().setup_distributed()
