"""Domains and audiences: what can be right passes, what cannot is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mfagate.config.shapes import Misfit
from mfagate.core.causes import CauseId
from mfagate.providers.auth0.provider import PROVIDER
from mfagate.providers.auth0.settings import REGIONS, Auth0Settings, audience_of, host_of, is_canonical

LABEL = st.from_regex(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", fullmatch=True)
DOMAIN = st.builds(
    lambda name, region: f"{name}{region}.auth0.com", LABEL, st.sampled_from(["", *(f".{one}" for one in REGIONS)])
)
OWN = ("auth0.com", "manage", "www", "cdn", "accounts", "community", "status", *REGIONS)


def misfit(name: str, value: str) -> Misfit | None:
    field = next(field for field in Auth0Settings.fields() if field.name == name)
    assert field.setting.shape is not None
    return field.setting.shape.misfit(value)


def settings(domain: str, audience: str | None = None) -> Auth0Settings:
    return Auth0Settings(domain=domain, client_id="c" * 32, client_secret=SecretStr("s" * 64), audience=audience)


@given(domain=DOMAIN.filter(lambda domain: domain.partition(".")[0] not in OWN))
def test_every_tenant_passes_and_its_audience_fits(domain: str) -> None:
    assert misfit("domain", domain) is None
    assert misfit("domain", domain.upper()) is None
    assert is_canonical(domain)
    assert misfit("audience", audience_of(domain)) is None
    assert host_of(audience_of(domain)) == domain
    assert PROVIDER.inspect(settings(domain)) == []
    assert PROVIDER.inspect(settings(domain.upper(), audience_of(domain))) == []


@given(domain=DOMAIN, cut=st.integers(1, 8))
def test_an_audience_that_lost_its_end_does_not_fit(domain: str, cut: int) -> None:
    assert misfit("audience", audience_of(domain)[:-cut]) is not None


@pytest.mark.parametrize(
    "domain", ["login.acme.com", "id.acme.co.uk", "acme.io", "acme.private.auth0app.com", "acme.auth0app.com"]
)
def test_other_hosts_that_may_be_right(domain: str) -> None:
    assert misfit("domain", domain) is None


@pytest.mark.parametrize(
    ("domain", "audience", "words"),
    [
        ("acme.eu.auth0.com", "https://acme.us.auth0.com/api/v2/", "the region is eu in domain and us in audience"),
        ("acme.auth0.com", "https://acme.us.auth0.com/api/v2/", "the region is none"),
        (
            "acme.eu.auth0.com",
            "https://acme-dev.eu.auth0.com/api/v2/",
            "audience names acme-dev.eu.auth0.com, and domain is",
        ),
        ("login.acme.com", None, "custom domain"),
    ],
)
def test_the_difference_is_named(domain: str, audience: str | None, words: str) -> None:
    ((name, finding),) = PROVIDER.inspect(settings(domain, audience))
    assert name == "audience"
    assert words in finding.message


@pytest.mark.parametrize("domain", ["acme.eu.uath0.com", "acme.eu.auth0.co", "acme.euauth0.com"])
def test_a_misspelt_host_is_not_taken_for_a_custom_domain(domain: str) -> None:
    ((name, finding),) = PROVIDER.inspect(settings(domain, None))
    assert (name, finding.cause) == ("domain", CauseId.CONFIG_MALFORMED_URL)
    assert PROVIDER.inspect(settings(domain, "https://acme.eu.auth0.com/api/v2/")) == []


def test_a_custom_domain_with_its_tenants_audience_is_in_order() -> None:
    assert PROVIDER.inspect(settings("login.acme.com", "https://acme.eu.auth0.com/api/v2/")) == []
