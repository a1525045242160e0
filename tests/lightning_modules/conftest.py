"""Makes importable: ``ranks``, two processes that train together; ``pretend_device``, a made-up GPU; small models."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
