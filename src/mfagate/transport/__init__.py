"""Send one HTTP request over a new or a kept connection, and record what happened in each phase.

:class:`Transport` turns a prepared ``requests`` request into an
:class:`~mfagate.core.exchange.Exchange`. Whatever the network does becomes a
:class:`~mfagate.core.exchange.Failure` with a cause and the phase in which it
happened; :func:`clock_offset` compares the server's clock with ours.
"""

from mfagate.transport.clock import clock_offset
from mfagate.transport.message import UnsendableRequest
from mfagate.transport.transport import Transport
from mfagate.transport.trust import CaBundleError, check_bundle

__all__ = ["CaBundleError", "Transport", "UnsendableRequest", "check_bundle", "clock_offset"]
