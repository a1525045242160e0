"""Who is who, against scipy's single linkage where nothing forbids a join, and by hand where something does."""

import math

import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage

from datamodules.photographs.faces import Faces
from datamodules.photographs.identities import Face, Identities


def photo(*angles, side=0.5):
    """Faces whose embeddings are directions in the plane, in degrees."""
    radians = torch.tensor([math.radians(a) for a in angles])
    box = torch.tensor([0.1, 0.1, 0.1 + side, 0.1 + side])
    return Faces(
        box.expand(len(angles), 4),
        torch.zeros(len(angles), 5, 2),
        torch.zeros(len(angles), 17, 3),
        torch.stack([radians.cos(), radians.sin()], dim=1),
        (100, 100),
        "",
    )


def cosine(degrees):
    return math.cos(math.radians(degrees))


def test_without_company_it_is_single_linkage():
    angles = (torch.rand(60) * 360).tolist()
    photos = {f"{i:02}": photo(a) for i, a in enumerate(angles)}
    identities = Identities(photos, cosine(4))
    embeddings = torch.cat([f.embeddings for f in photos.values()])
    expected = fcluster(linkage(embeddings.numpy(), "single", "cosine"), 1 - cosine(4), "distance")
    names = [identities.name(Face(name, 0)) for name in photos]
    pairs = list(zip(names, expected, strict=True))
    assert len(set(pairs)) == len(set(names)) == len(set(expected)) > 5


def test_two_faces_of_a_photograph_are_never_one_person():
    """b's two faces both resemble a's; the nearer one is a, the other stays a stranger."""
    identities = Identities({"a": photo(0), "b": photo(9, 5), "c": photo(11)}, cosine(10))
    assert identities.name(Face("b", 1)) == identities.name(Face("a", 0)) == "a#0"
    assert identities.name(Face("b", 0)) == identities.name(Face("c", 0)) == "b#0"


def test_second_views_are_near_enough_other_enough_and_large_enough():
    photos = {"a": photo(0, 90), "b": photo(6), "c": photo(12), "d": photo(0.1), "e": photo(3, side=0.1)}
    identities = Identities(photos, cosine(8), duplicate=cosine(1), smallest_view=30)
    found = {str(f) for f in identities.second_views(Face("a", 0))}
    assert found == {"b#0"}  # c is one person with b but too far from a, d the same picture, e too small
    assert identities.name(Face("c", 0)) == identities.name(Face("d", 0)) == "a#0"
    assert {str(f) for f in identities.second_views(Face("e", 0))} == {"a#0", "b#0", "d#0"}
    assert identities.second_views(Face("a", 1)) == []


def test_nobody_is_no_problem():
    assert Identities({"a": photo(), "b": photo(3)}, 0.5).name(Face("b", 0)) == "b#0"
    assert Identities({}, 0.5).faces == []
    with pytest.raises(ValueError, match="same_person"):
        Identities({}, 0.9, 0.8)
