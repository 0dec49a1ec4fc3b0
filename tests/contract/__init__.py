"""Contracts: reading them, building their requests, and matching answers, with Pact's Verifier as referee."""
