"""Vonage Verify v2 for mfagate (https://developer.vonage.com/en/verify/overview)."""
