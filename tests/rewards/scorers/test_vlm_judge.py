"""The judge against a real HTTP server in this process, which looks at the picture it is sent."""

import base64
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from PIL import Image

from rewards.base import RewardUnavailable
from rewards.scorers.vlm_judge import VLMJudge


class Handler(BaseHTTPRequestHandler):
    """Answers with ten times the red of the picture, unless told to do something else."""

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers.get("Authorization"), request))
        status, text = 200, None
        if self.server.script:
            status, text = self.server.script.pop(0)
        if text is None:
            picture = request["messages"][0]["content"][0]["image_url"]["url"].split(",", 1)[1]
            pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))))
            text = str(int(pixels[..., 0].mean() / 255 * 9.99))
        body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        if text == "garbage":
            body = b"<html>"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen, server.script = [], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        yield server
        server.shutdown()


def judge(server, **changes):
    built = VLMJudge(server.address, "some-model", **{"parallel": 1, **changes})
    built.pause = 0.01
    return built


def reds(*levels):
    images = torch.zeros(len(levels), 3, 8, 8)
    images[:, 0] = torch.tensor(levels)[:, None, None]
    return images


def test_each_image_gets_the_digit_the_model_says(server, monkeypatch):
    monkeypatch.setenv("JUDGE_KEY", "secret")
    scores = judge(server, parallel=3, key_variable="JUDGE_KEY").score(
        reds(0.0, 0.55, 1.0), ["a", "{b}", "c"]
    )
    torch.testing.assert_close(scores, torch.tensor([0.1, 0.6, 1.0]))
    path, key, request = server.seen[0]
    assert path == "/v1/chat/completions"
    assert key == "Bearer secret"
    assert request["temperature"] == 0
    assert any("show: {b}" in r["messages"][0]["content"][1]["text"] for _, _, r in server.seen)


def test_pixels_arrive_without_loss(server):
    image = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    judge(server).score(image, ["x"])
    sent = server.seen[0][2]["messages"][0]["content"][0]["image_url"]["url"].split(",", 1)[1]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(sent))))
    assert np.array_equal(pixels, (image[0] * 255).byte().permute(1, 2, 0).numpy())


@pytest.mark.parametrize(
    "script",
    [[(503, None)], [(429, None), (500, None)], [(200, "I would say 7")], [(200, "garbage")], [(200, "12")]],
)
def test_passing_failures_are_tried_again(server, script):
    server.script = list(script)
    assert judge(server).score(reds(1.0), ["x"]).tolist() == [1.0]
    assert len(server.seen) == len(script) + 1


def test_a_judgement_that_cannot_be_had_is_unknown_and_not_zero(server, caplog):
    server.script = [(200, "no idea")] * 3
    scores = judge(server).score(reds(1.0, 0.0), ["x", "y"])
    assert scores.isnan().tolist() == [True, False]
    assert "'no idea' is not one digit" in caplog.text


def test_a_refusal_is_not_asked_again_and_all_failures_are_unavailable(server, caplog):
    server.script = [(401, "who are you")] * 2
    with pytest.raises(RewardUnavailable, match="judged none of 2 images"):
        judge(server).score(reds(1.0, 1.0), ["x", "y"])
    assert len(server.seen) == 2
    assert "status 401" in caplog.text


def test_nobody_listening_is_unavailable():
    absent = VLMJudge("http://127.0.0.1:9/v1", "m", attempts=2, timeout=2)
    absent.pause = 0.01
    with pytest.raises(RewardUnavailable, match=r"127\.0\.0\.1:9"):
        absent.score(reds(1.0), ["x"])


def test_senseless_settings_are_refused():
    with pytest.raises(ValueError, match="url"):
        VLMJudge("localhost:8000", "m")
    with pytest.raises(ValueError, match="attempts"):
        VLMJudge("http://localhost/v1", "m", attempts=6)
