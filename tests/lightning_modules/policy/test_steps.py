import pytest
import torch

from lightning_modules.policy.steps import AllSteps, StepWindow


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_all_steps_leave_out_the_last():
    assert AllSteps().choose(6, 0, rng()) == (0, 1, 2, 3, 4)
    with pytest.raises(ValueError, match="at least 2"):
        AllSteps().choose(1, 0, rng())


def test_random_windows_cover_the_first_half_evenly():
    window, one = StepWindow(size=2), rng()
    starts = torch.tensor([window.choose(10, 0, one)[0] for _ in range(4000)])
    assert starts.unique().tolist() == [0, 1, 2, 3]
    assert torch.bincount(starts).float().std() < 100
    assert window.choose(10, 0, rng(5)) == window.choose(10, 0, rng(5))


def test_progressive_windows_move_and_stay_at_the_end():
    window = StepWindow(size=2, strategy="progressive", stay=3)
    starts = [window.choose(8, epoch, rng())[0] for epoch in range(12)]
    assert starts == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert StepWindow(size=3, strategy="fixed").choose(8, 99, rng()) == (0, 1, 2)


@pytest.mark.parametrize("steps", [2, 3, 4, 18])
@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_windows_never_reach_the_last_step(steps, share):
    for seed in range(20):
        chosen = StepWindow(size=1, share=share).choose(steps, 0, rng(seed))
        assert 0 <= chosen[0] < steps - 1


def test_windows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="shorten the window"):
        StepWindow(size=4).choose(4, 0, rng())
    for wrong in ({"size": 0}, {"share": 0.0}, {"strategy": "often"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            StepWindow(**wrong)
