"""Twilio's error codes and their meanings.

The envelope is ``{"code", "message", "more_info", "status"}``; each code has its page,
https://www.twilio.com/docs/api/errors/CODE, and those of Verify are listed on
https://www.twilio.com/docs/verify/api/error-codes. ``published.toml`` has the codes of that list, with
the statuses that their pages name. The messages are not part of the contract: they exist in several wordings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.foreign.parsing import raw
from mfagate.providers.answers import object_of
from mfagate.providers.errors import CORRECT_REQUEST, ApiError, ErrorMeaning, possible_causes
from mfagate.providers.twilio.settings import HOME_REGION, TwilioSettings, is_about_accounts, signs_with_key

PERMISSION_DENIED = 20003
NOT_FOUND = 20404
INVALID_PARAMETER = 60200
MOST_CHECKS = 60202
LANDLINE = 60205
UNAUTHORIZED = 70051

_SUPPORT = (
    "Open a ticket with Twilio support (https://help.twilio.com), and give the account's SID, the error code and "
    "the request id from the evidence."
)

_LATER = "Make the login service check or cancel the open verification before it starts another."
"""https://www.twilio.com/docs/api/errors/20429"""

_SERVICE_CHANNELS = "In the Twilio Console, open Verify > Services > your service, and enable the channel."

_NUMBER = "The limit applies to one phone number or verification, not to the account."
_IDENTITY = "The limit applies to one factor or entity, not to the account."


def _limit(text: str, next_step: str) -> ErrorMeaning:
    return ErrorMeaning(CauseId.PROVIDER_RATE_LIMITED, text, next_step)


def _off(text: str, next_step: str | None = None, *, setting: str | None = None) -> ErrorMeaning:
    return ErrorMeaning(CauseId.ACCOUNT_FEATURE_DISABLED, text, next_step, setting)


def _state(text: str) -> ErrorMeaning:
    return ErrorMeaning(CauseId.CONTRACT_STATE_UNAVAILABLE, text)


def _request(text: str) -> ErrorMeaning:
    return ErrorMeaning(CauseId.CONTRACT_STATUS_CHANGED, text, CORRECT_REQUEST)


_GEOGRAPHY = _off(
    "the account may not send to this country",
    "In the Twilio Console, open Verify > Settings > Geo permissions, and allow the country of the phone number.",
)
_FRAUD_PREFIX = _off(
    "Twilio blocks messages to numbers with this prefix as suspected fraud",
    "Use a number with another prefix, or run the gate again in twelve hours, when Fraud Guard unblocks the prefix. "
    "The protection level is set in the Twilio Console: Verify > Services > your service.",
)
_FRAUD_NUMBER = ErrorMeaning(
    CauseId.CONTRACT_STATE_UNAVAILABLE,
    "Twilio blocks messages to this number as suspected fraud",
    "Run the gate again in half an hour, or use another number: Fraud Guard blocks one number for 15 to 30 minutes "
    "(https://www.twilio.com/docs/api/errors/30450).",
)
_TEMPLATE = _off(
    "the account or the service is not set up for this message, template or channel; no permission is missing",
    "In the Twilio Console, open Verify > Services > your service, and Verify > Templates: set up or enable what "
    "the provider's message names.",
)
_NO_TEMPLATE = ErrorMeaning(
    CauseId.ACCOUNT_RESOURCE_MISSING,
    "the account has no such message template or sender",
    "In the Twilio Console, compare Verify > Templates and the senders with those that the login service uses.",
)
_TLS = ErrorMeaning(
    CauseId.NETWORK_TLS_HANDSHAKE,
    "Twilio rejected the TLS version or cipher of this connection",
    "Let the login service, and any proxy on the route, use TLS 1.2 or 1.3 with a cipher listed on "
    "https://www.twilio.com/docs/usage/security.",
)
_SILENT = (60500, 60510, 60511, 60517, 60519, 60520, 60531, 60532, 60533, 60534, 60540)
"""Silent Network Auth failed for one number: https://www.twilio.com/docs/verify/sna."""

_NOT_SET_UP = (
    60201, 60214, 60218, 60219, 60222, 60224, 60226, 60227, 60230, 60239, 60240, 60241, 60243, 60250, 60329, 60408,
    60409, 60428, 68008,
)  # fmt: skip

_FIELDS = (
    60206, 60247, 60300, 60305, 60307, 60313, 60314, 60365, 60368, *range(60371, 60389), 60420, 60425, 60426, 60427,
    60432, 60433, 60434, 60436, 60437, 60440, 60441, 60602, 60622,
)  # fmt: skip
"""A field of one request that Verify does not accept."""

_NOT_THERE = (60422, 60424, 60431, 60623)
"""A contact or a verification that no longer exists; the endpoint still does."""

_NUMBERS = (60236, 60237, 60423, 60535, 60550, 60600, 60610, 60612, 60625)
"""One address or number that cannot be reached, or a factor that is not ready."""

MEANINGS: Mapping[str | int, ErrorMeaning] = {
    20001: _request("a form field is missing; a JSON body causes the same error, because Twilio reads only forms"),
    **dict.fromkeys((20002, 20007, 20412, 20413, 20422), _request("Twilio does not accept the value of a parameter")),
    20004: _request("Twilio does not accept this method here"),
    20005: ErrorMeaning(
        CauseId.ACCOUNT_SUSPENDED, "the account is not active: it has no funds, or the trial was not activated"
    ),
    20008: ErrorMeaning(
        CauseId.CREDENTIAL_WRONG_KIND,
        "these are the test credentials, which Verify does not accept",
        "Set account_sid and auth_token to the values under Live credentials, or use an API key. Use a separate "
        "account for tests of Verify.",
    ),
    20006: ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "Twilio recognises the credential but denies it access to this resource",
    ),
    20010: _off(
        "Twilio has disabled this action for the account; no permission is missing",
        f"Ask which action it is and how to enable it again. {_SUPPORT}",
    ),
    **dict.fromkeys((20011, 20012), _TLS),
    20403: ErrorMeaning(CauseId.ACCOUNT_SUSPENDED, "the account is suspended or closed"),
    20429: _limit(
        "the account has too many concurrent requests, or a rate limit of the service was reached",
        "Run the gate again after a few seconds, or after the time that Twilio specifies; the rejected requests "
        "were not processed. Make the login service retry such requests later and send fewer at a time.",
    ),
    20409: _state("the resource is being changed, or exists already"),
    20410: _state("the resource no longer exists; the endpoint does"),
    20423: ErrorMeaning(CauseId.ACCOUNT_RESOURCE_MISSING, "Twilio does not accept a SID in the request"),
    20426: ErrorMeaning(
        CauseId.CONTRACT_ENDPOINT_RETIRED, "Twilio requires another version of its API or of the protocol"
    ),
    **dict.fromkeys((20500, 20504), ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Twilio reported an internal error")),
    20503: ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Twilio is unavailable"),
    21211: _state("Twilio considers the number invalid"),
    21408: _GEOGRAPHY,
    21608: _off(
        "the account is a trial account: it sends only to numbers that were verified in the Console",
        "Verify the number in the Twilio Console (Phone Numbers > Verified Caller IDs), or upgrade the account.",
    ),
    21612: _state("Twilio cannot reach the number"),
    21614: _state("the number does not belong to a mobile phone"),
    30450: _FRAUD_NUMBER,
    INVALID_PARAMETER: _request("Twilio does not accept the value of a parameter"),
    MOST_CHECKS: _limit(
        "all five attempts of this verification were used",
        f"Start another verification after this one has expired, ten minutes after its start. {_NUMBER}",
    ),
    60203: _limit(
        "five messages were sent to this number, but no code was checked",
        f"Cancel the verification, or wait until it expires, ten minutes after its start. {_NUMBER}",
    ),
    60204: _off(
        "custom codes or custom names are not enabled for the service",
        "In the Twilio Console: Verify > Services > your service > General > Enable Custom Verification Code.",
    ),
    LANDLINE: _state("the number belongs to a landline, which cannot receive SMS"),
    60207: ErrorMeaning(
        CauseId.ACCOUNT_QUOTA_EXHAUSTED,
        "the service has the maximum number of rate limits",
        "Delete unused rate limits of the service (https://www.twilio.com/docs/verify/api/service-rate-limits).",
    ),
    60212: _limit(
        "too many concurrent verifications were started for this number",
        f"Run the gate again in ten minutes, when the open verifications have expired. {_LATER} {_NUMBER}",
    ),
    60217: _off("the service is not set up for this channel", _SERVICE_CHANNELS, setting="service_sid"),
    60220: _off(
        "Twilio must vet the account before it sends messages to China; no permission is missing",
        f"Request the vetting, or let these users choose another channel. {_SUPPORT}",
    ),
    60221: _request("the check contained neither a number nor a verification"),
    60223: _off("the channel is disabled for this service", _SERVICE_CHANNELS, setting="service_sid"),
    60238: _off(
        "Twilio blocks the start of verifications: the account is under review, or the country is embargoed",
        f"Run the gate again later. If the block lasts for more than 72 hours, ask for the reason. {_SUPPORT}",
    ),
    **dict.fromkeys(_NOT_SET_UP, _TEMPLATE),
    **dict.fromkeys((60228, 60229, 60232, 60242), _NO_TEMPLATE),
    **dict.fromkeys(_FIELDS, _request("Twilio does not accept a field of the request")),
    **dict.fromkeys(_NOT_THERE, _state("the contact or the verification no longer exists; the endpoint does")),
    **dict.fromkeys(_NUMBERS, _state("Twilio cannot reach this address or number, or the factor is not ready")),
    **dict.fromkeys(_SILENT, _state("Silent Network Auth did not succeed for this number")),
    60245: ErrorMeaning(
        CauseId.ACCOUNT_QUOTA_EXHAUSTED,
        "the account has used its allowance of messages",
        f"Let users choose another channel until then, and ask for a higher limit. {_SUPPORT}",
    ),
    60301: _state("the entity already exists"),
    60302: _state("the entity already has a factor of this type"),
    60304: _state("the entity already exists"),
    60306: _request("Twilio does not accept the value of a parameter"),
    60309: _limit(
        "this challenge has reached its limit of pushes", f"Make the login service start another challenge. {_IDENTITY}"
    ),
    60308: _limit(
        "all five attempts of this challenge were used", f"Make the login service start another challenge. {_IDENTITY}"
    ),
    60310: _limit(
        "all five attempts of this new factor were used", f"Have the user set up another factor. {_IDENTITY}"
    ),
    60311: _request("the factor was not verified; since October 2021, Twilio answers 200 to a wrong TOTP code"),
    60312: _limit(
        "the factor has reached its hourly or daily limit of challenges",
        f"Run the gate again in an hour, or tomorrow if that fails too. {_IDENTITY}",
    ),
    60315: ErrorMeaning(
        CauseId.ACCOUNT_QUOTA_EXHAUSTED,
        "the entity has the maximum number of factors: twenty for push, or a hundred for TOTP",
        f"Delete unused factors of the entity (https://www.twilio.com/docs/verify/api/factor). {_IDENTITY}",
    ),
    60317: _state("the factor already exists"),
    60318: _state("the enrolment of the factor was not completed"),
    60322: _state("the challenge was already answered"),
    60323: _state("the challenge has expired"),
    60324: _request("the challenge was not verified; since October 2021, Twilio answers 200 to a wrong TOTP code"),
    60326: _limit(
        "a hundred factors were created for the entity within a day",
        "Find out from the log of the login service why it creates so many factors, and run the gate again "
        f"tomorrow. {_IDENTITY}",
    ),
    60328: _limit(
        "too many entities were created",
        "Find out from the log of the login service why it creates so many entities, correct that, and run the "
        f"gate again later. {_IDENTITY}",
    ),
    60361: ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING, "Twilio does not accept the account's SID", setting="account_sid"
    ),
    60362: _request("Twilio does not accept the SID of the factor"),
    60363: ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING, "Twilio does not accept the service's SID", setting="service_sid"
    ),
    60364: _request("Twilio does not accept the SID of the challenge"),
    60366: _request("Twilio does not accept the identity"),
    60367: _request("Twilio does not accept the identity"),
    60369: _request("Twilio does not accept the type of factor"),
    60370: _request("Twilio does not accept the configuration of the factor"),
    60390: _state("the factor does not exist; a factor whose enrolment was not completed is removed within a day"),
    60391: _state("the challenge does not exist"),
    60392: _state("the entity does not exist"),
    60410: _FRAUD_PREFIX,
    60412: _FRAUD_NUMBER,
    60421: ErrorMeaning(CauseId.PROVIDER_OUTAGE, "Twilio failed to create the contact"),
    60603: ErrorMeaning(
        CauseId.ACCOUNT_QUOTA_EXHAUSTED,
        "the SendGrid account behind the e-mail channel has no credits left",
        "Look up the SendGrid account in the Twilio Console: Verify > Services > your service > Email. Have its "
        "owner log in to SendGrid and upgrade the plan or add credits. Let users choose another channel until then.",
    ),
    60604: _off(
        "the SendGrid account behind the e-mail channel does not let Verify send; Twilio's own credential is accepted",
        "In the Twilio Console, open Verify > Services > your service > Email. Have the owner of that SendGrid "
        "account grant the key the permission Mail Send.",
    ),
    60605: _GEOGRAPHY,
    60624: _limit(
        "a trial account cannot start more verifications at the moment",
        "Upgrade the account in the Twilio Console, or run the gate again later.",
    ),
    60626: _limit(
        "too many requests for this number", f"Use another number, or run the gate again later. {_LATER} {_NUMBER}"
    ),
}

ABOUT_A_USER = frozenset({
    21211, 21612, 21614, 30450, INVALID_PARAMETER, MOST_CHECKS, 60203, LANDLINE, 60212, 60308, 60310, 60311, 60312,
    60315, 60318, 60322, 60323, 60324, 60326, 60328, 60390, 60391, 60392, 60410, 60309, 60412, 60626, *_NOT_THERE,
    *_NUMBERS, *_SILENT,
})  # fmt: skip
"""Codes about one phone number, verification, factor or entity."""

TOO_SOON: Mapping[int, tuple[str, float]] = {
    60202: ("/Verifications", 600.0),
    60203: ("/Verifications", 600.0),
    60212: ("/Verifications", 600.0),
    60312: ("/Challenges", 3600.0),
}
"""Temporary limits: the end of the path that has the limit, and its longest duration in seconds.

A verification lives ten minutes; a factor may be challenged fifty times an hour (and a hundred times a day).
https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts, https://www.twilio.com/docs/api/errors/60203
"""

ANOTHER_SECRET = "the secret belongs to another key"
SUSPENDED = "the account is suspended or closed"
_ANOTHER_KEY = (
    "Make sure in the Twilio Console that the account is active, with funds or a running trial, and that the key is "
    "still listed (Account > API keys & tokens). If so, do not change the key: compare the deployed SID, and check "
    "the other possible causes. Create another key, and deploy both of its values, only if the key no longer exists."
)
_THIS_TOKEN = (
    "Make sure in the Twilio Console that the account is active, and compare its primary auth token with the "
    "deployed one. If they are the same, do not change the token, and check the other possible causes."
)
_PROXY = "a proxy removes or changes the Authorization header"


def error_of(response: Response) -> ApiError | None:
    """Read code and message of an error answer. Newer APIs of Twilio word it as RFC 9457 does."""
    body = object_of(response)
    if type(body.get("code")) is not int:
        return None
    words = [body[name] for name in ("message", "detail", "title") if isinstance(body.get(name), str)]
    return ApiError(body["code"], words[0], response.headers.get("twilio-request-id")) if words else None


def refused(error: ApiError, exchange: Exchange, settings: TwilioSettings) -> ErrorMeaning:
    """Return the remaining ones of the eleven causes of 20003 (https://www.twilio.com/docs/api/errors/20003).

    The wording is only a hint: "No credentials provided" was observed if the header did not arrive, "invalid username"
    if it contained an unknown SID.
    """
    if settings.key is None and settings.token is None:
        return ErrorMeaning(CauseId.CREDENTIAL_REJECTED, "Twilio requires a credential, but none was sent")
    key = signs_with_key(settings, exchange.request.url)
    causes = _of_a_key() if key else _of_a_token()
    message = raw(error.message).lower()
    if "no credentials" in message:
        causes.sort(key=lambda cause: cause != _PROXY)
    unknown = " and does not seem to know its SID" if "invalid username" in message else ""
    text = f"Twilio rejected the {'API key' if key else 'auth token'}{unknown}; there are several possible causes"
    return ErrorMeaning(
        CauseId.CREDENTIAL_REJECTED, text, _ANOTHER_KEY if key else _THIS_TOKEN, evidence=possible_causes(*causes)
    )


def _of_a_key() -> list[str]:
    region = f"the key was issued in another region than {HOME_REGION}"
    return ["the key was deleted", ANOTHER_SECRET, region, SUSPENDED, _PROXY]


def _of_a_token() -> list[str]:
    return [
        "the token was replaced by a new one, which revokes it immediately",
        "the token belongs to another account: a subaccount has its own token",
        "the token belongs to the test credentials",
        SUSPENDED,
        _PROXY,
    ]


def unauthorized(exchange: Exchange, settings: TwilioSettings) -> ErrorMeaning:
    """Explain 70051: an account or key without permission, suspended, or deleted.

    https://www.twilio.com/docs/api/errors/70051
    """
    if not signs_with_key(settings, exchange.request.url):
        causes = [SUSPENDED, "the token belongs to another account: a subaccount has its own token"]
        text = "Twilio does not authorize the account"
        return ErrorMeaning(CauseId.CREDENTIAL_REJECTED, text, _THIS_TOKEN, evidence=possible_causes(*causes))
    causes = [
        "the key is a restricted key without this permission",
        "the key was deleted or suspended",
        "the key belongs to another account",
        SUSPENDED,
    ]
    return ErrorMeaning(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        "Twilio does not authorize the API key for this request",
        "In the Twilio Console (Account > API keys & tokens), make sure that the key is still listed, and look up "
        "its type. Give a restricted key the permissions of Verify, or use a standard key.",
        evidence=possible_causes(*causes),
    )


def limited(meaning: ErrorMeaning, exchange: Exchange) -> ErrorMeaning:
    """Add how long to wait, if Twilio says so."""
    wait = exchange.response.headers.get("retry-after") if exchange.response else None
    return replace(meaning, evidence={**meaning.evidence, "retry-after": wait.quoted(80)}) if wait else meaning


_IN_A_SERVICE = re.compile(r"/v2/Services/[^/]+/(VerificationCheck|Verifications/.|Entities/.)")


def not_found(exchange: Exchange) -> ErrorMeaning | None:
    """Explain 20404: the service is missing, unless the path is about an object in it (None)."""
    url = exchange.request.url
    if is_about_accounts(url) or _IN_A_SERVICE.match(urlsplit(url).path):
        return None
    return ErrorMeaning(
        CauseId.ACCOUNT_RESOURCE_MISSING,
        "the account of this credential has no such Verify service",
        "Compare service_sid with the services in the Twilio Console of exactly this account: a subaccount has its "
        "own services.",
        setting="service_sid",
    )
