"""A codec that all tests of the engine share."""

import pytest
from small_policy import save_codec


@pytest.fixture(scope="session")
def codec(tmp_path_factory):
    return save_codec(tmp_path_factory.mktemp("codec"))
