"""``python -m datamodules.photographs``: canvases from a folder of photographs (Ar2Can Algorithm 1).

Every photograph with a caption and enough faces becomes a scene: faces, landmarks, bodies, who is who, and a reference
view of everybody from one of three sources. Run it again to go on after an interruption or to add photographs.
"""

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, DefaultHelpFormatter

from datamodules.photographs.builder import SKIPPED, CanvasBuilder
from datamodules.photographs.scenes import FolderScenes
from datamodules.photographs.settings import BuildSettings
from datamodules.photographs.sheet import contact_sheet
from datamodules.schema.interfaces import Analyzer
from datamodules.whole_files import write_whole

PREVIEW = "preview.png"
INTERRUPTED = 130  # the shell's exit status for Ctrl-C
EPILOG = """\
captions
  PHOTO.txt beside PHOTO.jpg, or PHOTOS/captions.jsonl with lines {"file": "PHOTO.jpg", "prompt": "..."}

examples
  python -m datamodules.photographs photos --out data/canvases --analyzer rewards.analyzers.combined.photo_analyzer
  python -m datamodules.photographs photos --out data/small --analyzer rewards.analyzers.combined.photo_analyzer \\
      --size [256,256] --faces [1,4] --sources.synthetic 0 --sources.multi_view 0.6 --preview 12
"""

logger = logging.getLogger("datamodules.photographs")


def parser() -> ArgumentParser:
    """The command line."""
    made = ArgumentParser(
        prog="python -m datamodules.photographs",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=_Formatter,
    )
    made.add_argument("photos", type=Path, metavar="PHOTOS", help="folder of photographs (jpg, png, webp)")
    made.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to build")
    made.add_argument(
        "--preview", type=int, default=0, metavar="N", help=f"draw N scenes into FOLDER/{PREVIEW}"
    )
    made.add_subclass_arguments(Analyzer, "analyzer", required=True)
    made.add_class_arguments(BuildSettings)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when there are scenes, 1 when there are none, 2 for a wrong argument, 130 interrupted."""
    command = parser()
    options = command.parse_args(arguments)
    analyzer_name = json.dumps(options.analyzer.as_dict(), sort_keys=True, default=str)
    handler = logging.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        return _build(options, command.instantiate(options), analyzer_name)
    except (ValueError, FileNotFoundError, ModuleNotFoundError) as error:
        logger.error("error: %s", error)
        return 2
    except KeyboardInterrupt:
        logger.error("interrupted; run the same command to go on")
        return INTERRUPTED
    finally:
        logger.removeHandler(handler)


def _build(options: Any, made: Any, analyzer_name: str) -> int:
    settings = BuildSettings(**{name: made[name] for name in BuildSettings.__dataclass_fields__})
    report = CanvasBuilder(options.photos, options.out, made.analyzer, settings, analyzer_name).run()
    logger.info("%d scenes in %s", report.scenes, options.out)
    if report.skipped:
        logger.info("%d photographs skipped, with reasons in %s:", len(report.skipped), options.out / SKIPPED)
    for file, reason in sorted(report.skipped.items())[:10]:
        logger.info("  %s: %s", file, reason)
    if options.preview:
        scenes = FolderScenes(options.out)
        chosen = [scenes[i] for i in range(min(options.preview, len(scenes)))]
        write_whole(options.out / PREVIEW, contact_sheet(chosen))
        logger.info("%d of them drawn in %s", len(chosen), options.out / PREVIEW)
    return 0 if report.scenes else 1


class _Formatter(DefaultHelpFormatter):
    """Keeps the line breaks of the examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
