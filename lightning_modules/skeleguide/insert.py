"""Put people into a scene: a picture and a prompt go in; the image, the layout and an editable pose come out.

    python -m lightning_modules.skeleguide.insert --scene park.png --prompt "Two women are waving" --out out
    python -m lightning_modules.skeleguide.insert --scene park.png --prompt "Two women are waving" --pose edited.json

The first line reasons out a layout, renders it, and reads its skeletons into ``pose.json``. The second draws the edited
skeletons over the scene and renders them; with the same ``--seed`` people keep much of their looks. How many people
there are is up to the prompt, or to the edited pose (1 to 7). The model is that of a training configuration and a
folder of LoRA sets, the shipped ones by default. Another reader of skeletons is named by ``--inverter``: a class path,
or a YAML file of ``class_path`` and ``init_args``:

    class_path: lightning_modules.skeleguide.pose_inverter_vlm.QwenPoseInverter
    init_args: {source: models/Qwen2.5-VL-7B-Instruct, adapter: runs/pose_inverter_paper/pose_inverter_lora}
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
import yaml
from jaxtyping import Float
from jsonargparse import ArgumentError, ArgumentParser
from rich.console import Console
from torch import Tensor
from torchvision.transforms.functional import center_crop, resize
from torchvision.utils import save_image

from datamodules.geometry.draw import draw_skeleton
from datamodules.photographs.files import UnfitError, decode
from lightning_modules.backbone.latents import TOKEN_PIXELS
from lightning_modules.configured import CONFIGS, configured_module
from lightning_modules.skeleguide.module import ReasonRenderModule
from lightning_modules.skeleguide.pose_inverter import PoseInverter, TinyPoseInverter
from lightning_modules.skeleguide.pose_text import Poses, read_pose, write_pose
from lightning_modules.skeleguide.samples import Composition

CONFIG = CONFIGS / "skeleguide" / "tiny.yaml"
TINY = "tiny"
WEIGHTS = Path(__file__).parent / "weights"


def main(args: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scene",
        required=True,
        type=Path,
        help="picture of the place without people; its middle square is taken",
    )
    parser.add_argument("--prompt", required=True, help="who shall be there, doing what")
    parser.add_argument("--pose", type=Path, help="edited pose.json: render it, and reason nothing out")
    parser.add_argument("--out", type=Path, default=Path("runs/inserted"), help="folder of the results")
    parser.add_argument("--config", type=Path, default=CONFIG, help="training configuration of SkeleGuide")
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        help="folder of the trained LoRA sets; those that ship by default",
    )
    parser.add_argument(
        "--inverter",
        default=TINY,
        help=f"who reads the skeletons off the layout: {TINY}, a class path or a YAML file (default: {TINY})",
    )
    parser.add_argument("--size", type=int, default=128, help="side of the image in pixels, a multiple of 16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="where the model runs, such as cuda or cuda:1")
    options = parser.parse_args(args)
    try:
        check(options)
        poses = read_pose(options.pose) if options.pose else None
        inverter = chosen_inverter(options.inverter)
        scene = read_scene(options.scene, options.size)
        module = configured_module(options.config, ReasonRenderModule)
        load(module, options.weights)
        module.to(options.device)
        composition, found = insert(module, inverter, scene, options.prompt, options.seed, poses)
        write(options.out, scene, composition, found)
    except (ValueError, OSError) as error:
        parser.exit(2, f"insert: {error}\n")
    people = "1 person" if len(found) == 1 else f"{len(found)} people"
    Console().print(f"{people} in {options.out}: image.png, layout.png, pose.json, scene.png")
    if not len(found):
        Console().print("no skeleton was read off the layout; try another --seed")


def check(options: argparse.Namespace) -> None:
    """Refuse options that make no sense.

    Raises:
        ValueError: naming the option.
    """
    if not options.prompt.strip():
        raise ValueError("--prompt: is empty; say who shall be there")
    if options.size < 4 * TOKEN_PIXELS or options.size % TOKEN_PIXELS:
        raise ValueError(
            f"--size: {options.size} must be a multiple of {TOKEN_PIXELS}, at least {4 * TOKEN_PIXELS}"
        )
    if options.seed < 0:
        raise ValueError(f"--seed: {options.seed} must be at least 0")
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"--device: {options.device}: {str(error).splitlines()[0]}") from error
    if options.out.exists() and not options.out.is_dir():
        raise ValueError(f"--out: {options.out} is a file; name a folder")


def chosen_inverter(name: str) -> PoseInverter:
    """The PoseInverter called ``tiny``, at a class path, or in a YAML file of ``class_path`` and ``init_args``.

    Raises:
        ValueError: if there is none, or it does not take its arguments.
    """
    if name == TINY:
        return TinyPoseInverter()
    if Path(name).suffix in {".yaml", ".yml"}:
        try:
            wanted: Any = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise ValueError(f"--inverter: {name} cannot be read: {error}") from error
        if not isinstance(wanted, dict) or "class_path" not in wanted:
            raise ValueError(f"--inverter: {name} holds no class_path; give a class and its init_args")
    else:
        wanted = {"class_path": name}
    reader = ArgumentParser(exit_on_error=False)
    reader.add_subclass_arguments(PoseInverter, "inverter", required=True)
    try:
        return cast(PoseInverter, reader.instantiate(reader.parse_object({"inverter": wanted})).inverter)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"--inverter: {name}: {error}") from error


def load(module: ReasonRenderModule, folder: Path) -> None:
    """Give a module its trained LoRA sets.

    Raises:
        ValueError: if the folder does not hold them.
    """
    try:
        module.load_adapters(folder)
    except ValueError as error:
        raise ValueError(f"--weights: {error}") from error


def insert(
    module: ReasonRenderModule,
    inverter: PoseInverter,
    scene: Float[Tensor, "3 h w"],
    prompt: str,
    seed: int,
    poses: Poses | None = None,
) -> tuple[Composition, Poses]:
    """The composition of one scene, and the poses in it.

    Args:
        module: reasoner and renderer.
        inverter: reads the skeletons off the layout that was reasoned out.
        scene: RGB in [0, 1].
        prompt: who is to be there.
        seed: of the starting noise.
        poses: given by somebody; the reasoner and the inverter are not asked then.
    """
    if poses is not None:
        layout = draw_skeleton(poses.keypoints, (scene.shape[-2], scene.shape[-1]), over=scene)
        return module.render(layout[None], [prompt], seed).to("cpu"), poses
    composition = module.compose(scene[None], [prompt], seed).to("cpu")
    assert composition.layout_image is not None  # a reasoner draws one
    return composition, inverter.invert(composition.layout_image)[0]


def read_scene(path: Path, side: int) -> Float[Tensor, "3 r r"]:
    """The middle square of an image file, RGB in [0, 1].

    Raises:
        ValueError: if the file is no image.
    """
    try:
        picture = decode(path.read_bytes())
    except (OSError, UnfitError) as error:
        raise ValueError(f"--scene: {path} cannot be read as an image: {error}") from error
    square: Tensor = center_crop(resize(picture, side, antialias=True), side)
    return square.clamp(0, 1)


def write(folder: Path, scene: Float[Tensor, "3 r r"], composition: Composition, poses: Poses) -> None:
    """``image.png``, ``layout.png``, ``pose.json`` and the ``scene.png`` that was used."""
    folder.mkdir(parents=True, exist_ok=True)
    save_image(scene, folder / "scene.png")
    save_image(composition.image[0], folder / "image.png")
    if composition.layout_image is not None:
        save_image(composition.layout_image[0], folder / "layout.png")
    write_pose(folder / "pose.json", poses)


if __name__ == "__main__":
    main()
