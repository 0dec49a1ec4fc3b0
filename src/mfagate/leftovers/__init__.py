"""Manage the things that a run creates and must remove, however it ends.

:mod:`mfagate.leftovers.marks` names them, :mod:`mfagate.leftovers.ledger` records them before they are made, and
:mod:`mfagate.leftovers.folders` makes temporary folders that a later process can recognise as abandoned.
"""
