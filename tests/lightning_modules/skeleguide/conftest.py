"""Makes ``small_module`` importable: small modules and scenes of noise."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
