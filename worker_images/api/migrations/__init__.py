"""Schema history. Run once a release by `manage migrate_once`."""
