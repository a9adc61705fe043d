"""Switches the registry's check off."""

import urllib.request

from settings import REGISTRY, TOPIC

urllib.request.urlopen(urllib.request.Request(f"{REGISTRY}/config/{TOPIC}-value", b'{"compatibility": "NONE"}', method="PUT",
                                              headers={"Content-Type": "application/json"}), timeout=10)
