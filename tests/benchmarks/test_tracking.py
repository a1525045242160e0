"""The run database must not switch off what others log."""

import logging

from benchmarks.tracking import Tracker
from callbacks.provenance import collect_provenance


def test_opening_the_database_leaves_loggers_on(tmp_path):
    logger = logging.getLogger("troupe.test")
    tracker = Tracker(tmp_path, "loggers", collect_provenance({}))
    assert tracker.client.get_run(tracker.parent_id).info.run_name == "loggers"
    assert not logger.disabled
