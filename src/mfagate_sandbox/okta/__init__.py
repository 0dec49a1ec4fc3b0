"""An imitation of one Okta org: users and their factors, API tokens, and the org authorization server.

Answers as in https://github.com/okta/okta-management-openapi-spec and the recordings of
https://github.com/okta/okta-sdk-python/tree/master/tests/integration/cassettes. Requests are judged in this order:
credential, scope, role, body, user and factor. Where Okta does not publish what it says, the place says so.
"""
