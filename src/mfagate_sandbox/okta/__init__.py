"""An emulator of one Okta org: users and their factors, API tokens, and the org authorization server.

Answers follow https://github.com/okta/okta-management-openapi-spec and the recordings in
https://github.com/okta/okta-sdk-python/tree/master/tests/integration/cassettes. Requests are checked in this order:
credential, scope, role, body, user and factor. Comments mark assumptions about what Okta does not publish.
"""
