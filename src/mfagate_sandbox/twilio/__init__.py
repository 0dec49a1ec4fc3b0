"""An emulator of Twilio Verify."""
