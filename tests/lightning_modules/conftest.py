"""Makes ``ranks`` importable, which starts two processes that train together, and ``small_qwen``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
