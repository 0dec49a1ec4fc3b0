"""An emulator of Auth0: a tenant, its tokens, and its APIs."""
