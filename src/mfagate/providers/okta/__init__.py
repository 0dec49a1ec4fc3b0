"""Okta, through its Factors API (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/)."""
