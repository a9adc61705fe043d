"""The environment of the labs' programs."""

import os

KEPT = ("SHOPSTREAM_LABS", "SHOPSTREAM_LAB", "SHOPSTREAM_DEPS", "SHOPSTREAM_BINARY")


def forget_settings() -> None:
    """Settings of the program that runs this one, such as the console: a registry that a lab starts would obey them, and
    keep the passwords among them for as long as it runs."""
    for name in [name for name in os.environ if name.startswith("SHOPSTREAM_") and name not in KEPT]:
        del os.environ[name]
