"""privacyIDEA, the self-hosted MFA server (https://www.privacyidea.org)."""
