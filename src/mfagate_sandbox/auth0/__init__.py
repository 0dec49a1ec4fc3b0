"""The parts of the emulator: a tenant, its tokens, and its two APIs."""
