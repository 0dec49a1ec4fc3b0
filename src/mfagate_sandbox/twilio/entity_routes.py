"""https://www.twilio.com/docs/verify/api/entity, …/factor and …/challenge.

A wrong TOTP code is answered with 200 and changes nothing
(https://www.twilio.com/docs/verify/quickstarts/verify-totp-change-in-api-response-when-authpayload-is-incorrect).
Twilio does not document its answer for unknown factors, challenges and entities; here it is the
usual 404. Only TOTP factors can be created: the devices for pushes exist from the start, and they
answer without a signature. Every signature that a client sends is wrong.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mfagate.sandbox.emulator import IncomingRequest, Reply, route
from mfagate_sandbox.twilio.accounts import Service
from mfagate_sandbox.twilio.answers import invalid, moment, not_found, page, refused
from mfagate_sandbox.twilio.api import TwilioRoutes
from mfagate_sandbox.twilio.entities import (
    MOST_FACTORS_A_DAY,
    MOST_TRIES,
    Entity,
    FactorChallenge,
    VerifyFactor,
)
from mfagate_sandbox.twilio.form import Form

_INVALID = 60306

_IDENTITY = "(?=.{8,64}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
_NAME = "(?s).{1,64}"
_CODE = "[0-9]{3,8}"
_FACTOR = "YF[0-9a-fA-F]{32}"
_SIGNATURE = "(?s).{1,5456}"

_ENTITIES = "/v2/Services/<service>/Entities"
_ENTITY = f"{_ENTITIES}/<identity>"

_DEFAULT_SECONDS = 300.0
_LONGEST_SECONDS = 3600.0


class EntityRoutes(TwilioRoutes):
    """Entities, factors and challenges."""

    @route("POST", _ENTITIES)
    def create_entity(self, request: IncomingRequest) -> Reply:
        """Create an entity."""
        service, form = self.service(request), Form(request, _INVALID)
        identity = form.required("Identity", _IDENTITY)
        if identity.lower() in service.entities:
            raise refused(60301, "Entity already exists")
        return Reply(201, _add_entity(service, identity).as_json())

    @route("GET", _ENTITIES)
    def list_entities(self, request: IncomingRequest) -> Reply:
        """List the entities."""
        entities = self.service(request).entities.values()
        return page(request, "entities", [entity.as_json() for entity in entities], _INVALID)

    @route("GET", _ENTITY)
    def fetch_entity(self, request: IncomingRequest) -> Reply:
        """Return an entity."""
        return Reply(200, self.entity(request).as_json())

    @route("DELETE", _ENTITY)
    def delete_entity(self, request: IncomingRequest) -> Reply:
        """Delete an entity with all factors."""
        del self.service(request).entities[self.entity(request).identity.lower()]
        return Reply(204)

    @route("POST", f"{_ENTITY}/Factors")
    def create_factor(self, request: IncomingRequest) -> Reply:
        """Create a factor, and its entity if necessary."""
        service, form = self.service(request), Form(request, _INVALID)
        name = form.required("FriendlyName", _NAME)
        kind = form.required("FactorType", "totp")
        metadata = form.document("Metadata", 1024)
        config, binding = _totp(service, form)
        identity = request.variables["identity"]
        if not re.fullmatch(_IDENTITY, identity):
            raise invalid(_INVALID, "Identity")
        entity = service.entities.get(identity.lower()) or _add_entity(service, identity)
        _require_room(entity)
        factor = VerifyFactor(kind, name, config, binding, metadata)
        entity.factors[factor.sid] = factor
        entity.enrolled.append(factor.created)
        return Reply(201, entity.new_factor_json(factor, _issuer(service)))

    @route("GET", f"{_ENTITY}/Factors")
    def list_factors(self, request: IncomingRequest) -> Reply:
        """List the factors of an entity."""
        entity = self.entity(request)
        return page(request, "factors", [entity.factor_json(factor) for factor in entity.factors.values()], _INVALID)

    @route("GET", f"{_ENTITY}/Factors/<factor>")
    def fetch_factor(self, request: IncomingRequest) -> Reply:
        """Return a factor."""
        entity, factor = self._factor(request)
        return Reply(200, entity.factor_json(factor))

    @route("POST", f"{_ENTITY}/Factors/<factor>")
    def update_factor(self, request: IncomingRequest) -> Reply:
        """Change a factor, or complete its enrolment."""
        entity, factor = self._factor(request)
        form = Form(request, _INVALID)
        name = form.text("FriendlyName", _NAME)
        config = _totp_config(factor.config, form) if factor.factor_type == "totp" else factor.config
        payload = form.text("AuthPayload", _CODE)
        if payload is not None:
            _verify(factor, payload)
        factor.friendly_name, factor.config = name or factor.friendly_name, config
        factor.updated = time.time()
        return Reply(200, entity.factor_json(factor))

    @route("DELETE", f"{_ENTITY}/Factors/<factor>")
    def delete_factor(self, request: IncomingRequest) -> Reply:
        """Delete a factor."""
        entity, factor = self._factor(request)
        del entity.factors[factor.sid]
        return Reply(204)

    @route("POST", f"{_ENTITY}/Challenges")
    def create_challenge(self, request: IncomingRequest) -> Reply:
        """Create a challenge; the request may contain the answer of a TOTP factor."""
        entity, form = self.entity(request), Form(request, _INVALID)
        factor = entity.factors.get(form.required("FactorSid", _FACTOR))
        if factor is None:
            raise not_found(request)
        details, hidden = _details(form), form.document("HiddenDetails", 1024)
        if factor.factor_type == "push" and details is None:
            raise invalid(_INVALID, "Details.Message")
        payload = form.text("AuthPayload", _CODE)
        expires = _expiry(form)
        if factor.status != "verified":
            raise refused(60318, "Factor is unverified")
        if not factor.may_be_challenged():
            raise refused(60312, "Challenge creation limit reached")
        challenge = FactorChallenge(factor, expires, details, hidden)
        factor.challenged.append(challenge.created)
        entity.challenges[challenge.sid] = challenge
        if payload is not None:
            _answer(challenge, payload)
        answer = entity.challenge_json(challenge)
        challenge.owner = entity.owner  # the push reaches the device only after this answer
        return Reply(201, answer)

    @route("GET", f"{_ENTITY}/Challenges")
    def list_challenges(self, request: IncomingRequest) -> Reply:
        """List the challenges of an entity, filtered by factor and status."""
        entity = self.entity(request)
        factor = _filter(request, "FactorSid", _FACTOR)
        status = _filter(request, "Status", "pending|expired|approved|denied")
        order = _filter(request, "Order", "asc|desc")
        shown = [
            entity.challenge_json(challenge)
            for challenge in entity.challenges.values()
            if factor in (None, challenge.factor.sid) and status in (None, challenge.now())
        ]
        return page(request, "challenges", shown[::-1] if order == "desc" else shown, _INVALID)

    @route("GET", f"{_ENTITY}/Challenges/<challenge>")
    def fetch_challenge(self, request: IncomingRequest) -> Reply:
        """Return a challenge."""
        entity, challenge = self._challenge(request)
        return Reply(200, entity.challenge_json(challenge))

    @route("POST", f"{_ENTITY}/Challenges/<challenge>")
    def update_challenge(self, request: IncomingRequest) -> Reply:
        """Answer a challenge."""
        entity, challenge = self._challenge(request)
        form = Form(request, _INVALID)
        is_totp = challenge.factor.factor_type == "totp"
        payload = form.text("AuthPayload", _CODE if is_totp else _SIGNATURE)
        metadata = form.document("Metadata", 1024)
        if payload is not None:
            _answer(challenge, payload)
        challenge.metadata = challenge.metadata if metadata is None else metadata
        return Reply(200, entity.challenge_json(challenge))

    def _factor(self, request: IncomingRequest) -> tuple[Entity, VerifyFactor]:
        entity = self.entity(request)
        factor = entity.factors.get(request.variables["factor"])
        if factor is None:
            raise not_found(request)
        return entity, factor

    def _challenge(self, request: IncomingRequest) -> tuple[Entity, FactorChallenge]:
        entity = self.entity(request)
        challenge = entity.challenges.get(request.variables["challenge"])
        if challenge is None:
            raise not_found(request)
        return entity, challenge


def _add_entity(service: Service, identity: str) -> Entity:
    entity = Entity(service.account_sid, service.sid, service.url, identity)
    service.entities[identity.lower()] = entity
    return entity


def _issuer(service: Service) -> str:
    return str(service.totp.get("issuer", service.friendly_name))


def _require_room(entity: Entity) -> None:
    if sum(time.time() - when < 86400 for when in entity.enrolled) >= MOST_FACTORS_A_DAY:
        raise refused(60326, "Factor creation limit reached")


def _totp(service: Service, form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """Return config and binding of a TOTP factor; without a secret in the request, Twilio generates one."""
    defaults = {"alg": "sha1", "skew": 1, "code_length": 6, "time_step": 30}
    defaults |= {name: value for name, value in service.totp.items() if name in defaults}
    secret = form.text("Binding.Secret", "[A-Z2-7]+=*") or base64.b32encode(secrets.token_bytes(20)).decode()
    try:
        key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    except binascii.Error:
        raise invalid(_INVALID, "Binding.Secret") from None
    if not key:
        raise invalid(_INVALID, "Binding.Secret")
    return _totp_config(defaults, form), {"secret": secret}


def _totp_config(defaults: Mapping[str, Any], form: Form) -> dict[str, Any]:
    return {
        "alg": form.choice("Config.Alg", ("sha1", "sha256", "sha512"), defaults["alg"]),
        "skew": form.whole("Config.Skew", 0, 2, defaults["skew"]),
        "code_length": form.whole("Config.CodeLength", 3, 8, defaults["code_length"]),
        "time_step": form.whole("Config.TimeStep", 20, 60, defaults["time_step"]),
    }


def _verify(factor: VerifyFactor, payload: str) -> None:
    """Complete the enrolment of a factor if the code is correct."""
    if factor.status == "verified":
        return
    if factor.tries >= MOST_TRIES:
        raise refused(60310, "Factor verification attempts reached")
    if factor.takes(payload):
        factor.status = "verified"
    else:
        factor.tries += 1


def _answer(challenge: FactorChallenge, payload: str) -> None:
    """Approve a challenge if the code is correct."""
    status = challenge.now()
    if status == "expired":
        raise refused(60323, "Challenge expired")
    if status != "pending":
        raise refused(60322, "Challenge already responded")
    if challenge.factor.factor_type == "push":
        raise refused(60324, "Challenge verification failed")
    if challenge.tries >= MOST_TRIES:
        raise refused(60308, "Challenge verification attempts limit reached")
    if challenge.factor.takes(payload):
        challenge.respond("approved")
    else:
        challenge.tries += 1


def _details(form: Form) -> dict[str, Any] | None:
    """Return what the user is shown."""
    message = form.text("Details.Message", "(?s).{1,256}")
    fields = form.all("Details.Fields")
    if len(fields) > 20:
        raise invalid(_INVALID, "Details.Fields")
    shown = [_detail(text) for text in fields]
    return None if message is None else {"message": message, "date": moment(time.time()), "fields": shown}


def _detail(text: str) -> dict[str, str]:
    try:
        field = json.loads(text)
    except (ValueError, RecursionError):
        field = None
    if not isinstance(field, dict) or field.keys() != {"label", "value"}:
        raise invalid(_INVALID, "Details.Fields")
    label, value = field["label"], field["value"]
    if not isinstance(label, str) or not isinstance(value, str) or len(label) > 36 or len(value) > 128:
        raise invalid(_INVALID, "Details.Fields")
    return {"label": label, "value": value}


def _expiry(form: Form) -> float:
    """Return when a challenge expires: within an hour, by default after five minutes."""
    text = form.text("ExpirationDate", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
    if text is None:
        return time.time() + _DEFAULT_SECONDS
    try:
        expires = datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise invalid(_INVALID, "ExpirationDate") from None
    if not time.time() < expires <= time.time() + _LONGEST_SECONDS:
        raise invalid(_INVALID, "ExpirationDate")
    return expires


def _filter(request: IncomingRequest, name: str, pattern: str) -> str | None:
    values = request.query.get(name)
    if values is None:
        return None
    if not re.fullmatch(pattern, values[-1]):
        raise invalid(_INVALID, name)
    return values[-1]
