"""Where this checkout, its dependencies and its program are. Only the standard library, since set-up imports it."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Absolute, so that it means the same to programs that start elsewhere. Set-up may have made .deps a link.
DEPS = pathlib.Path(os.environ.get("SHOPSTREAM_DEPS") or (ROOT / ".deps").resolve()).absolute()
BINARY = pathlib.Path(os.environ.get("SHOPSTREAM_BINARY") or ROOT / "build/release/shopstream").absolute()
CLUSTER = ROOT / ".shopstream/cluster"  # The local cluster's data, logs and ports.
SECURED = ROOT / ".shopstream/secure"   # The same of the secured one, its certificates and a configuration per role.
