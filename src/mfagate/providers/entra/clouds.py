"""The national clouds: each has a host for sign-ins and one for Microsoft Graph, and neither knows the others' tenants.

Hosts by https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud and
https://learn.microsoft.com/graph/deployments; those of the sovereign clouds of France (Bleu), Germany (Delos) and
Singapore (GovSG) by the environments of Microsoft's Graph PowerShell
(https://learn.microsoft.com/powershell/module/microsoft.graph.authentication/get-mgenvironment) and the known hosts of
https://github.com/AzureAD/microsoft-authentication-library-for-python. Tenants of US GCC are in the global cloud; the
first German cloud (Microsoft Cloud Deutschland) was closed in 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where one cloud answers.

    Attributes:
        login: Host of the sign-in.
        graph: Host of Microsoft Graph.
        domain: The end of the domain that each of its tenants begins with; None where no public page says it.
        other_names: What Microsoft's tools and pages call it, as a regular expression without regard to case.
    """

    login: str
    graph: str
    domain: str | None
    other_names: str

    @property
    def scope(self) -> str:
        """What an application asks for to be let into Graph: whatever was granted to it."""
        return f"https://{self.graph}/.default"


CLOUDS: Mapping[str, Cloud] = {
    GLOBAL: Cloud(
        "login.microsoftonline.com",
        "graph.microsoft.com",
        ".onmicrosoft.com",
        "azure|(azure)?(public|commercial|worldwide|global)(cloud)?|azurecloud|gcc|us-?gcc",
    ),
    "us-gov": Cloud(
        "login.microsoftonline.us",
        "graph.microsoft.us",
        ".onmicrosoft.us",
        "(azure)?us-?gov(ernment)?(cloud)?|(us-?)?gcc-?high|fairfax",
    ),
    "us-gov-dod": Cloud(
        "login.microsoftonline.us", "dod-graph.microsoft.us", ".onmicrosoft.us", "(us-?gov(ernment)?-?)?dod"
    ),
    "china": Cloud(
        "login.partner.microsoftonline.cn",
        "microsoftgraph.chinacloudapi.cn",
        ".partner.onmschina.cn",
        "(azure)?china(cloud)?|21vianet|mooncake",
    ),
    "bleu": Cloud("login.sovcloud-identity.fr", "graph.svc.sovcloud.fr", None, "(azure)?(bleu|france)-?(cloud)?|fr"),
    "delos": Cloud("login.sovcloud-identity.de", "graph.svc.sovcloud.de", None, "(azure)?delos-?(cloud)?"),
    "govsg": Cloud("login.sovcloud-identity.sg", "graph.svc.sovcloud.sg", None, "gov-?sg-?(cloud)?|singapore|sg"),
}
