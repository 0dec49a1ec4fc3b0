"""The national clouds: each has a host for sign-ins and one for Microsoft Graph, and knows only its own tenants.

Hosts are from https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud and
https://learn.microsoft.com/graph/deployments; the hosts of the sovereign clouds of France (Bleu), Germany (Delos) and
Singapore (GovSG) from the environments of Microsoft's Graph PowerShell
(https://learn.microsoft.com/powershell/module/microsoft.graph.authentication/get-mgenvironment) and the known hosts of
https://github.com/AzureAD/microsoft-authentication-library-for-python. Tenants of US GCC are in the global cloud; the
first German cloud (Microsoft Cloud Deutschland) was shut down in 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Cloud:
    """The hosts of one cloud.

    Attributes:
        login: Host of the sign-in.
        graph: Host of Microsoft Graph.
        domain: The suffix of the initial domain of every tenant; None if no public page documents it.
        other_names: Its names in Microsoft's tools and pages, as a case-insensitive regular expression.
    """

    login: str
    graph: str
    domain: str | None
    other_names: str

    @property
    def scope(self) -> str:
        """The scope that an application requests for Graph: all permissions that were granted to it."""
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
