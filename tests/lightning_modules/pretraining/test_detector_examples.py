import torch

from lightning_modules.pretraining.detector_examples import with_canvases, with_ruined_faces


def test_canvases_show_references_at_their_landmarks(batch):
    changed, render = with_canvases(batch, share=1.0)
    assert not render.any()
    assert changed.valid.any()
    for i, j in zip(*changed.persons(), strict=True):
        # The pasted view, sampled back at its landmarks, has the reference's colours there.
        for k in (0, 1, 2):
            x, y = (changed.landmarks[i, j, k] * 128).long().tolist()
            rx, ry = (batch.reference_landmarks[i, j, k] * 64).long().tolist()
            pasted = changed.images[i, :, y - 1 : y + 2, x - 1 : x + 2].mean((1, 2))
            reference = batch.references[i, j, :, ry - 3 : ry + 4, rx - 3 : rx + 4].mean((1, 2))
            assert (pasted - reference).abs().max() < 0.3
        # Same size and place as the face it stands for.
        shift = changed.landmarks[i, j].mean(0) - batch.landmarks[i, j].mean(0)
        assert shift.abs().max() < 2 / 128


def test_canvases_never_overlap(batch):
    changed, _ = with_canvases(batch, share=1.0)
    assert (changed.valid <= batch.valid).all()
    assert changed.valid.sum() < batch.valid.sum()


def test_nothing_changes_without_a_share(batch):
    changed, render = with_canvases(batch, share=0.0)
    assert render.all()
    assert torch.equal(changed.images, batch.images)
    assert torch.equal(with_ruined_faces(batch, 0.0).images, batch.images)


def test_one_face_per_image_is_ruined_and_forgotten(batch):
    before = batch.images.clone()
    changed = with_ruined_faces(batch, share=1.0)
    assert torch.equal(batch.images, before)
    lost = batch.valid & ~changed.valid
    assert lost.sum(1).tolist() == [1] * len(batch)
    for i, j in zip(*lost.nonzero(as_tuple=True), strict=True):
        difference = (changed.images[i] - before[i]).abs().amax(0) > 0
        rows, columns = difference.nonzero(as_tuple=True)
        x1, y1, x2, y2 = (batch.boxes[i, j] * 128).tolist()
        assert x1 - 1 <= columns.min()
        assert columns.max() <= x2 + 1
        assert y1 - 1 <= rows.min()
        assert rows.max() <= y2 + 1
        assert difference.sum() > 0.5 * (x2 - x1) * (y2 - y1)
