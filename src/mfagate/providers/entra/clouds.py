"""The national clouds: each has a host for sign-ins and one for Microsoft Graph, and neither knows the others' tenants.

Hosts by https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud and
https://learn.microsoft.com/graph/deployments. Tenants of US GCC are in the global cloud; the
German cloud was closed in 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where one cloud answers; ``domain`` ends the domain that each of its tenants begins with."""

    login: str
    graph: str
    domain: str

    @property
    def scope(self) -> str:
        """What an application asks for to be let into Graph: whatever was granted to it."""
        return f"https://{self.graph}/.default"


CLOUDS: Mapping[str, Cloud] = {
    GLOBAL: Cloud("login.microsoftonline.com", "graph.microsoft.com", ".onmicrosoft.com"),
    "us-gov": Cloud("login.microsoftonline.us", "graph.microsoft.us", ".onmicrosoft.us"),
    "us-gov-dod": Cloud("login.microsoftonline.us", "dod-graph.microsoft.us", ".onmicrosoft.us"),
    "china": Cloud("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", ".partner.onmschina.cn"),
}
