"""MultiHuman-Testbench's metadata: one JSON list, of which entry k asks for the image ``{k}.png``.

Read of each entry are ``people`` (paths of the reference faces, whose number is the head count), ``prompt``,
``identifier`` (a noun per person), ``attributes`` (three whole numbers per person), ``vlm_questions`` and
``pose_image``; other keys, such as prompts for particular models, are left alone. The first 1,500 entries of the
published list are its simple actions, the others its complex ones.
"""

from pathlib import Path
from typing import Any

from benchmarks.published.case import Case, Problems, read_json, shortened, text_of, texts_of
from benchmarks.suite import SuiteError

SIMPLE_ENTRIES = 1500
REQUIRED = ("people", "prompt", "identifier", "vlm_questions")
ATTRIBUTES = 3


def read_metadata(path: Path, root: Path | None = None, simple: int = SIMPLE_ENTRIES) -> list[Case]:
    """The entries of a metadata file.

    Args:
        path: the JSON file.
        root: folder that reference paths are relative to; by default the file's own.
        simple: how many entries, counted from the first, ask for simple actions.

    Raises:
        SuiteError: naming file, entry and key of what cannot be used.
    """
    content = read_json(path)
    if not isinstance(content, list) or not content:
        raise SuiteError(
            f"{path}: expected a JSON list of entries, got {shortened(content)}; "
            "MultiHuman-Testbench's metadata is one list"
        )
    folder = path.parent if root is None else root
    if not folder.is_dir():
        raise SuiteError(f"options.root: {str(folder)!r} is not a folder")
    problems = Problems(path)
    cases = [_case(k, entry, folder, simple, problems) for k, entry in enumerate(content)]
    problems.raise_any()
    return [case for case in cases if case is not None]


def _case(k: int, entry: Any, folder: Path, simple: int, problems: Problems) -> Case | None:
    """One entry; what is wrong with it goes to ``problems``."""
    name = f"entry {k}"
    if not isinstance(entry, dict):
        problems.add(name, "entry", f"expected an object, got {shortened(entry)}")
        return None
    before = len(problems.found)
    for key in REQUIRED:
        if key not in entry:
            problems.add(name, key, "is missing")
    prompt = text_of(entry.get("prompt"))
    if prompt is None and "prompt" in entry:
        problems.add(name, "prompt", f"expected a text, got {shortened(entry['prompt'])}")
    people = _people(name, entry, folder, problems)
    nouns = _texts(name, "identifier", entry, problems)
    questions = _texts(name, "vlm_questions", entry, problems)
    if people and nouns is not None and len(nouns) != len(people):
        problems.add(
            name, "identifier", f"{len(nouns)} nouns for {len(people)} people; there must be one each"
        )
    _check_others(name, entry, len(people), problems)
    if len(problems.found) > before:
        return None
    return Case(
        key=str(k),
        images=(f"{k}.png",),
        prompt=prompt or "",
        references=people,
        nouns=nouns or (),
        questions=questions or (),
        is_complex=k >= simple,
    )


def _people(name: str, entry: dict[str, Any], folder: Path, problems: Problems) -> tuple[Path, ...]:
    """The reference files, each of which exists."""
    written = _texts(name, "people", entry, problems)
    if written is not None and not written:
        problems.add(name, "people", "is empty; an entry asks for at least one person")
    found = []
    for i, file in enumerate(written or ()):
        if (folder / file).is_file():
            found.append(folder / file)
        else:
            problems.add(name, f"people[{i}]", f"there is no file {file!r} below {folder} (options.root)")
    return tuple(found) if len(found) == len(written or ()) else ()


def _texts(name: str, key: str, entry: dict[str, Any], problems: Problems) -> tuple[str, ...] | None:
    if key not in entry:
        return None
    found = texts_of(entry[key])
    if found is None:
        problems.add(name, key, f"expected a list of texts, got {shortened(entry[key])}")
    return found


def _check_others(name: str, entry: dict[str, Any], people: int, problems: Problems) -> None:
    """Keys that scoring does not need, but that are wrong if they are there and look otherwise."""
    attributes = entry.get("attributes")
    if attributes is not None:
        rows = attributes if isinstance(attributes, list) else [None]
        whole = all(
            isinstance(row, list) and len(row) == ATTRIBUTES and all(type(v) is int for v in row)
            for row in rows
        )
        if not whole:
            problems.add(
                name,
                "attributes",
                f"expected {ATTRIBUTES} whole numbers per person, got {shortened(attributes)}",
            )
        elif people and len(rows) != people:
            problems.add(name, "attributes", f"{len(rows)} rows for {people} people; there must be one each")
    pose = entry.get("pose_image")
    if pose is not None and text_of(pose) is None:
        problems.add(name, "pose_image", f"expected a path, got {shortened(pose)}")
