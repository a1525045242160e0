"""Makes ``blob_world`` importable by class path, here and in the subprocesses these tests start."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
