"""What is likely in a tally before any prompt is read: against counting by hand, and Bayes' rule."""

import pytest
import torch
from small_architects import small_architect

from lightning_modules.ar2can.architect_llm import ArchitectLLMModule
from lightning_modules.ar2can.layout_tokens import LayoutTokens
from lightning_modules.ar2can.tally_prior import TallyPrior
from lightning_modules.language.model import LanguageModel

SAY = "0123456789+-="
TOKENS = LayoutTokens(len(SAY), tuple(range(len(SAY))))
COUNTS = {"2": 5, "2 + 1 = 3": 3, "2 + 3 = 5": 1, "1": 4, "0": 2, "5 + 4 = 9": 7}


def write(text):
    return [SAY.index(letter) for letter in text if letter != " "]


def prior_of(before, share=1.0):
    prior = TallyPrior(COUNTS, TOKENS, write)
    return -prior.without(torch.zeros(len(SAY) + 3), write(before), share)


@pytest.mark.parametrize(
    ("before", "seen"),
    [
        ("", {"2": 9, "1": 4, "0": 2, "5": 7}),
        ("2", {"S": 5, "+": 4}),
        ("2+", {"1": 3, "3": 1}),
        ("0", {"E": 2}),
        ("5+4=9", {"E": 7}),
        ("2+1=3", {"S": 3}),
    ],
)
def test_a_word_is_as_likely_as_it_is_frequent(before, seen):
    counts = [seen.get(word, 0) + 1 for word in (*SAY, *"SEC")]
    expected = torch.tensor([c / sum(counts) for c in counts]).log()
    torch.testing.assert_close(prior_of(before), expected)
    torch.testing.assert_close(prior_of(before, share=0.5), expected / 2)


def test_what_begins_no_tally_is_left_as_it_is():
    assert not prior_of("7-").any()
    scores = torch.randn(len(SAY) + 3)
    assert torch.equal(TallyPrior(COUNTS, TOKENS, write).without(scores, write("77"), 1.0), scores)


def test_without_the_prior_scores_are_what_the_prompt_says():
    """Bayes' rule: the posterior is prior times likelihood; without the prior the likelihood is left."""
    prior = torch.distributions.Categorical(logits=prior_of("2"))
    likelihood = torch.rand(len(SAY) + 3, generator=torch.Generator().manual_seed(0))
    posterior = torch.distributions.Categorical(prior.probs * likelihood)
    left = TallyPrior(COUNTS, TOKENS, write).without(posterior.logits, write("2"), 1.0)
    torch.testing.assert_close(left.softmax(0), likelihood / likelihood.sum())


def test_the_corpus_goes_on_after_numbers_that_training_never_ends_with():
    """3 + 2 alone is kept for a test: without the prior, to end there gains on going on by what the corpus saw."""
    module = small_architect()
    module.prior_share = 0.5
    scores = torch.zeros(len(module.tokens.said))
    freed = module.unbiased(scores, module.write("3 + 2"))
    place = {module.read([word]): k for k, word in enumerate(module.tokens.spoken)}
    assert freed[place["="]] - freed[place["+"]] > 1
    module.prior_share = 0.0
    assert module.unbiased(scores, module.write("3 + 2")) is scores


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match=f"prior_share: {share} must lie in 0..1"):
        ArchitectLLMModule(LanguageModel(), prior_share=share)


def test_answers_without_a_tally_have_no_prior():
    with pytest.raises(ValueError, match=r"prior_share: 0\.5 must"):
        ArchitectLLMModule(LanguageModel(), tally=False, prior_share=0.5)
