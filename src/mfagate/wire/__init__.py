"""One HTTP exchange over one fresh connection, and exactly what happened to it.

:class:`Wire` turns a prepared ``requests`` request into an
:class:`~mfagate.exchange.Exchange`. Whatever the network does becomes a
:class:`~mfagate.exchange.Failure` with a cause and the phase in which it
happened; :func:`clock_offset` compares the server's clock with ours.
"""

from mfagate.wire.clock import clock_offset
from mfagate.wire.message import UnsendableRequest
from mfagate.wire.trust import CaBundleError, check_bundle
from mfagate.wire.wire import Wire

__all__ = ["CaBundleError", "UnsendableRequest", "Wire", "check_bundle", "clock_offset"]
