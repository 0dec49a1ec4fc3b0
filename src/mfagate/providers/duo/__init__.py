"""Duo, through its Auth API (https://duo.com/docs/authapi)."""
