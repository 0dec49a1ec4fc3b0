"""Static checks: faults of a configuration that can be found without any network."""
