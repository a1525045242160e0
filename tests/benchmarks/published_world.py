"""Published benchmarks of coloured discs, in the published formats, and a judge that answers over HTTP."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from blob_world import scenes

from benchmarks import run
from benchmarks.published.tiny import encoded
from benchmarks.suite_file import load_suite

CHOICES = "Choices: 0(No), 9(Yes), 4(Partially)."
COUNTS = (1, 2, 3, 1, 2, 3, 2, 3)
SIMPLE = 5


def write_multi_human(folder):
    """Metadata and faces, and the true images in ``good``; the scenes."""
    drawn = scenes("test", len(COUNTS), COUNTS, 0)
    (folder / "faces").mkdir(parents=True)
    (folder / "good").mkdir()
    entries = []
    for k, scene in enumerate(drawn):
        people = []
        for i, person in enumerate(scene.persons):
            people.append(f"faces/{k}_{i}.png")
            (folder / people[-1]).write_bytes(encoded(person.reference, ".png"))
        questions = [f"Is there a {p.identity} person in place {k}? {CHOICES}" for p in scene.persons]
        entries.append(
            {
                "people": people,
                "prompt": scene.prompt,
                "identifier": [p.identity for p in scene.persons],
                "attributes": [[0, 1, 2] for _ in people],
                "vlm_questions": questions,
                "pose_image": f"poses/{k}.png",
                "prompt_for_another_model": "left alone",
            }
        )
        (folder / "good" / f"{k}.png").write_bytes(encoded(scene.image, ".png"))
    (folder / "metadata.json").write_text(json.dumps(entries))
    return drawn


def write_multi_id(folder, counts=(1, 2, 3, 2)):
    """Cases with true images, and the true images in ``good`` as what a model drew; the scenes."""
    drawn = scenes("test", len(counts), counts, 20)
    for k, scene in enumerate(drawn):
        case = folder / "cases" / f"case_{k}"
        case.mkdir(parents=True)
        for i, person in enumerate(scene.persons, start=1):
            (case / f"ref_{i}.jpg").write_bytes(encoded(person.reference, ".jpg"))
        (case / "ori.jpg").write_bytes(encoded(scene.image, ".jpg"))
        (case / "meta.json").write_text(json.dumps({"prompt": scene.prompt}))
        out = folder / "good" / case.name
        out.mkdir(parents=True)
        (out / "out.jpg").write_bytes(encoded(scene.image, ".jpg"))
    return drawn


JUDGES = ["analyzer=blob_world.BlobAnalyzer", "bootstrap=200"]
PAINTER = "methods={painter: {generator: blob_world.Painter}}"


def arguments(kind, folder, *more):
    """The command line that scores a benchmark of discs."""
    data = folder / ("metadata.json" if kind == "multi_human" else "cases")
    simple = [f"options.simple={SIMPLE}"] if kind == "multi_human" else []
    scorers = (
        ["scorers.preference=blob_world.ContrastScorer"]
        if kind == "multi_human"
        else ["scorers.image_text=blob_world.ColourWordScorer"]
    )
    where = [f"options.data={data}", *simple, *scorers, *JUDGES]
    return ["--suite", kind, "--output", str(folder / "out"), *where, *more]


def run_suite(kind, folder, *more, status=0):
    """Run it, and read its report."""
    assert run.main(arguments(kind, folder, *more)) == status
    return json.loads((folder / "out" / "report.json").read_text())


def suite_of(kind, folder, *more):
    """The suite that this command line runs."""
    return load_suite(kind, [a for a in arguments(kind, folder, *more) if "=" in a])[0]


def lines(folder):
    """``images.jsonl`` by file."""
    return {x["file"]: x for x in map(json.loads, (folder / "out/images.jsonl").read_text().splitlines())}


def value(report, metric, method="good", part="all", setting=None):
    """One figure of a report."""
    rows = [
        r
        for r in report["rows"]
        if (r["metric"], r["method"], r["slice"], r["seed"]) == (metric, method, part, None)
        and setting in {None, r["setting"]}
    ]
    assert len(rows) == 1, [(r["metric"], r["method"], r["slice"]) for r in rows]
    return rows[0]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = request["messages"][0]["content"][1]["text"]
        self.server.asked.append(question)
        text = next((a for words, a in self.server.answers.items() if words in question), "9")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"choices": [{"message": {"content": text}}]}).encode())

    def log_message(self, *_):
        pass


@contextmanager
def judge_server():
    """A server that answers 9, or what ``answers`` says to a question with certain words in it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.asked, server.answers = [], {}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.scorer = (
            "scorers.actions={class_path: rewards.scorers.vlm_judge.VLMJudge, init_args: "
            f"{{url: '{address}', model: m, attempts: 1}}}}"
        )
        yield server
        server.shutdown()
