"""AADSTS numbers without individual texts, by subject.

All are from https://learn.microsoft.com/entra/identity-platform/reference-error-codes, except those that
``published.toml`` lists under other pages.
"""

from __future__ import annotations

OF_A_SIGN_IN = (
    16000, 16001, 16002, 16003, 160021, 50005, 50014, 50015, 50020, 50053, 50055, 50056, 50057, 50058, 50064, 50072,
    50074, 50076, 50078, 50079, 50085, 50086, 50089, 50097, 50125, 50126, 50127, 50129, 50131, 50132, 50133, 50134,
    50135, 50137, 50140, 50142, 50143, 50144, 50155, 50158, 50170, 50173, 50177, 50178, 50187, 50197, 50199, 51004,
    53000, 53001, 53002, 53004, 53010, 53011, 54000, 54005, 65004, 70000, 70008, 70016, 70018, 70019, 70020, 90072,
    90101, 90119, 90120, 90123, 90125, 90126, 500121, 500207, 500208, 500212, 500213, 530034, 700020, 700082, 700084,
)  # fmt: skip
"""A user's sign-in was refused, interrupted or has ended: the application and its credential are not in doubt.

500121 is the answer to a failed second factor (https://login.microsoftonline.com/error?code=500121).
"""

BAD_REQUESTS = (
    28002, 28003, 70011, 90004, 90005, 90007, 90009, 90013, 90014, 90015, 90016, 90023, 90100, 90102, 90107, 90117,
    90121, 700022, 900144, 900561, 901002, 1002012, 9002313,
)  # fmt: skip
"""The request has a field that Entra does not accept."""

FAILURES = (50000, 50033, 50050, 50087, 70012, 90006, 90012, 90024, 90033, 90036, 90090, 90091, 90092)
"""Entra, or a service behind it, failed."""

NOT_GRANTED = (65001, 65005, 90008, 90093, 90094, 90095, 501051, 650056, 650057)
"""The requested permission was not granted or consented to."""

PEOPLES_ENDPOINTS = (50059, 50128, 50194, 90019, 90027, 90124, 90130, 90133, 9001023, 9002332)
"""The endpoint, or the tenant in its address, is for the sign-in of users."""

WRONG_CLOUDS = (50049, 90038, 90043, 90051, 900382, 900432, 1000104)
"""The application, the tenant and the host belong to different clouds."""

OUR_ASSERTIONS = (50013, 50027, 50048, 50098, 50120, 700021, 700023)
"""Entra cannot read or accept the assertion that was sent as the credential."""

POLICIES = (53003, 530032, 530035, 530084)
"""A Conditional Access policy or the security defaults of the tenant block the request.

530084: https://github.com/Azure/azure-cli/issues/31428
"""

TENANT_RESTRICTIONS = (50002, 500021, 500022)
"""A proxy restricts which tenants may be used from this network.

https://learn.microsoft.com/entra/identity/enterprise-apps/tenant-restrictions
"""

NO_FEDERATED_CREDENTIAL = (70021, 700211, 700212, 700213, 7002138)
"""The application trusts no token with this issuer, audience or subject.

https://azure.github.io/azure-workload-identity/docs/troubleshooting.html. 7002138 means that only the case of the
letters differs (https://github.com/Azure/login/issues/517).
"""

NO_CREDENTIAL = (7000216, 7000218)
"""The request has no secret or assertion, or an empty one.

7000216: https://github.com/microsoftgraph/microsoft-graph-docs/issues/6060
"""

NO_GRAPH = (50001, 500011)
"""The tenant has no service principal of the resource: tenants of one cloud do not know the Graph of another.

https://github.com/Azure/migAz/issues/68 and https://github.com/Azure/Azure-DataFactory/issues/293
"""
