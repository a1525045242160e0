"""MultiID-Bench's folders: one per case, with ``ori.jpg`` (the true image), ``ref_1.jpg`` ... and ``meta.json``.

A model's image is ``out.jpg`` beside them, or in a folder of the same name elsewhere. PNG files are read as well.
"""

import re
from pathlib import Path

from benchmarks.files import natural
from benchmarks.published.case import Case, Problems, read_json, shortened, text_of
from benchmarks.suite import SuiteError

META = "meta.json"
SUFFIXES = (".jpg", ".jpeg", ".png")
_REFERENCE = re.compile(r"ref_(\d+)\.(?:jpg|jpeg|png)")


def read_cases(folder: Path) -> list[Case]:
    """The cases of a benchmark folder, in natural order of their names.

    Folders that hold none of a case's files are left alone.

    Raises:
        SuiteError: naming folder, case and file of what cannot be used.
    """
    if not folder.is_dir():
        raise SuiteError(f"options.data: {str(folder)!r} is not a folder")
    problems = Problems(folder)
    below = sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda p: natural(p.name))
    cases = [_case(path, problems) for path in below if _holds_a_case(path)]
    problems.raise_any()
    if not cases:
        raise SuiteError(
            f"{folder}: no case in it; expected folders with {META}, ori.jpg and ref_1.jpg, ref_2.jpg …"
        )
    return [case for case in cases if case is not None]


def _case(path: Path, problems: Problems) -> Case | None:
    before = len(problems.found)
    prompt, truth = _prompt(path, problems), _image(path, "ori")
    if truth is None:
        problems.add(path.name, "ori.jpg", "there is no such file; it is the true image")
    references = _references(path, problems)
    if len(problems.found) > before:
        return None
    return Case(
        key=path.name,
        images=tuple(f"{path.name}/out{suffix}" for suffix in SUFFIXES),
        prompt=prompt or "",
        references=references,
        truth=truth,
    )


def _prompt(path: Path, problems: Problems) -> str | None:
    if not (path / META).is_file():
        problems.add(path.name, META, "there is no such file; it holds the prompt")
        return None
    try:
        content = read_json(path / META)
    except SuiteError as error:
        problems.add(path.name, META, str(error))
        return None
    if not isinstance(content, dict):
        problems.add(path.name, META, f"expected an object, got {shortened(content)}")
        return None
    if "prompt" not in content:
        problems.add(path.name, f"{META}: prompt", "is missing")
        return None
    prompt = text_of(content["prompt"])
    if prompt is None:
        problems.add(path.name, f"{META}: prompt", f"expected a text, got {shortened(content['prompt'])}")
    return prompt


def _references(path: Path, problems: Problems) -> tuple[Path, ...]:
    """``ref_1``, ``ref_2`` ... without a gap."""
    numbers = [int(m[1]) for p in path.iterdir() if (m := _REFERENCE.fullmatch(p.name)) is not None]
    if not numbers:
        problems.add(
            path.name, "ref_1.jpg", "there is no reference face; a case asks for at least one person"
        )
    found = []
    for number in range(1, max(numbers, default=0) + 1):
        file = _image(path, f"ref_{number}")
        if file is None:
            problems.add(path.name, f"ref_{number}.jpg", f"there is no such file, but a ref_{max(numbers)}")
        else:
            found.append(file)
    return tuple(found)


def _image(path: Path, stem: str) -> Path | None:
    found = [path / f"{stem}{suffix}" for suffix in SUFFIXES if (path / f"{stem}{suffix}").is_file()]
    return found[0] if found else None


def _holds_a_case(path: Path) -> bool:
    return any(
        p.name == META or p.stem == "ori" or _REFERENCE.fullmatch(p.name)
        for p in path.iterdir()
        if p.is_file()
    )
