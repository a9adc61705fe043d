"""Settings of `shopstream` on its command line. Only the standard library, since try_schemas.py runs outside pytest."""

from collections.abc import Mapping


def set_flags(settings: Mapping[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
