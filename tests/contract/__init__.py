"""Contracts: reading them, requests from them, answers held against them, with Pact's Verifier as referee."""
