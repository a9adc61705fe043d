"""Deletes the files that the newest version of bronze-events does not need, with delta-rs, however young they are."""

from deltalake import DeltaTable

deleted = DeltaTable("lake/bronze-events").vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
print(f"{len(deleted)} files deleted")
