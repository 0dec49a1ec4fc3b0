"""What a run makes and has to remove again, however it ends.

:mod:`mfagate.leftovers.marks` names what is made at a provider, :mod:`mfagate.leftovers.ledger` records it before it
is made, and :mod:`mfagate.leftovers.folders` makes temporary folders that a later process can recognise as abandoned.
"""
