"""MFA providers: the interface, the registry, and one folder each."""
