import torch

from lightning_modules.pretraining.render_split import MAX_PERSONS
from lightning_modules.pretraining.rendered import RenderedScenes


def test_what_is_read_is_what_was_drawn(batch, scenes):
    assert batch.prompts == tuple(scene.prompt for scene in scenes)
    for i, scene in enumerate(scenes):
        n = len(scene)
        assert batch.valid[i].tolist() == [True] * n + [False] * (MAX_PERSONS - n)
        torch.testing.assert_close(batch.images[i], scene.image, atol=0.5 / 255 + 1e-6, rtol=0)
        assert torch.equal(batch.masks[i], torch.stack([p.mask for p in scene.persons]).any(0))
        for j, person in enumerate(scene.persons):
            assert torch.equal(batch.boxes[i, j], person.box)
            assert torch.equal(batch.keypoints[i, j], person.keypoints)
            assert torch.equal(batch.landmarks[i, j], person.landmarks)
            assert torch.equal(batch.reference_landmarks[i, j], person.reference_landmarks)
            torch.testing.assert_close(
                batch.references[i, j], person.reference, atol=0.5 / 255 + 1e-6, rtol=0
            )


def test_extents_hold_everything_of_a_person(batch, scenes):
    for i, scene in enumerate(scenes):
        for j, person in enumerate(scene.persons):
            x1, y1, x2, y2 = batch.extents[i, j].tolist()
            rows, columns = person.mask.nonzero(as_tuple=True)
            joints = person.keypoints[person.keypoints[:, 2] > 0]
            left = min(joints[:, 0].min().item(), person.box[0].item(), columns.min().item() / 128)
            bottom = max(joints[:, 1].max().item(), person.box[3].item(), (rows.max().item() + 1) / 128)
            assert abs(x1 - left) < 1e-6
            assert abs(y2 - bottom) < 1e-6
            assert x2 > x1
            assert y2 > y1


def test_persons_are_listed_in_image_order(batch):
    image_index, slot = batch.persons()
    want = [(i, j) for i in range(len(batch)) for j in range(MAX_PERSONS) if batch.valid[i, j]]
    assert list(zip(image_index.tolist(), slot.tolist(), strict=True)) == want


def test_the_data_module_shuffles_training_and_not_validation(tmp_path):
    data = RenderedScenes(str(tmp_path), n_train=9, n_val=4, first_seed=3, batch_size=4, processes=1)
    data.prepare_data()
    data.setup()
    batches = list(data.train_dataloader())
    assert [len(batch) for batch in batches] == [4, 4]
    assert [batch.prompts for batch in batches] != [
        tuple(data.train.prompts[:4]),
        tuple(data.train.prompts[4:8]),
    ]
    (val,) = data.val_dataloader()
    assert val.prompts == tuple(data.val.prompts)
