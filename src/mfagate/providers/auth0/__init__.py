"""Auth0, through its Authentication API with the MFA API, and its Management API v2."""
