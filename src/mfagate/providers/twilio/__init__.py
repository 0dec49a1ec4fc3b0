"""Twilio Verify, version 2 (https://www.twilio.com/docs/verify/api)."""
