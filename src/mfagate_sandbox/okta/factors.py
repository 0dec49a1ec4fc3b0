"""Enrol, activate and verify a user's factors."""

from __future__ import annotations

import math
import os
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from mfagate.providers.totp import Totp
from mfagate.sandbox import BETWEEN_MESSAGES
from mfagate_sandbox.okta.answers import invalid, refused
from mfagate_sandbox.okta.bodies import is_true, object_in, optional_text, text
from mfagate_sandbox.okta.org import EnrolledFactor, OktaUser, Owner, Transaction, link, moment, new_id

TOTP, PUSH, QUESTION, SMS, EMAIL = "token:software:totp", "push", "question", "sms", "email"

PROVIDERS = {TOTP: ("OKTA", "GOOGLE"), PUSH: ("OKTA",), QUESTION: ("OKTA",), SMS: ("OKTA",), EMAIL: ("OKTA",)}
"""The factors that this org has enabled."""

QUESTIONS = {
    "disliked_food": "What is the food you least liked as a child?",
    "name_of_first_plush_toy": "What is the name of your first stuffed animal?",
    "first_award": "What did you earn your first medal or award for?",
}

_PREFIXES = {TOTP: "ost", PUSH: "opf", QUESTION: "ufs", SMS: "sms", EMAIL: "emf"}
_PAUSES = {SMS: (30.0, "E0000109"), EMAIL: (5.0, "E0000118")}
_MOST_FAILURES = 10
"""Okta does not publish how many wrong codes lock a user."""

_OLDEST_STEPS = 10
"""How many steps back a code counts as too old rather than wrong."""

_WRONG = "Your passcode doesn't match our records. Please try again."


def make(kind: str, login: str, *, owner: Owner | None = None, provider: str = "OKTA", **more: Any) -> EnrolledFactor:
    """Return a new factor, active by default."""
    profiles: dict[str, dict[str, Any]] = {
        TOTP: {"credentialId": login},
        PUSH: {
            "credentialId": login,
            "deviceType": "SmartPhone_IPhone",
            "name": "iPhone",
            "platform": "IOS",
            "version": "17.0",
        },
    }
    factor = EnrolledFactor(kind, provider, new_id(_PREFIXES[kind]), profiles.get(kind, {}), owner=owner, **more)
    if kind == TOTP:
        factor.totp = Totp.generate()
    return factor


def enrolled(user: OktaUser, fields: Mapping[str, Any], *, activate: bool) -> EnrolledFactor:
    """Enrol the requested factor; it replaces one that waits for activation."""
    kind = text(fields, "factorType")
    provider = (optional_text(fields, "provider") or "OKTA").upper()
    if provider not in PROVIDERS.get(kind, ()):
        raise invalid("factorEnrollRequest", "The factor type and provider are not enabled for this org.")
    require_active(user)
    same = [known for known in user.factors.values() if (known.kind, known.provider) == (kind, provider)]
    if any(known.status == "ACTIVE" for known in same):
        raise refused("E0000001", "factorEnrollRequest", "A factor of this type is already set up.")
    factor = make(kind, user.login, provider=provider, status="PENDING_ACTIVATION")
    _fill(factor, object_in(fields, "profile"), user)
    if kind == QUESTION or (activate and kind in _PAUSES):
        factor.status = "ACTIVE"
    elif kind in _PAUSES:
        send_code(factor)
    for known in same:
        del user.factors[known.id]
    return user.add(factor)


def _fill(factor: EnrolledFactor, profile: Mapping[str, Any], user: OktaUser) -> None:
    """Copy the requested profile to the factor."""
    if factor.kind == SMS:
        phone = re.sub(r"[\s().-]", "", text(profile, "phoneNumber"))
        if not re.fullmatch(r"\+[1-9][0-9]{1,14}", phone):
            raise invalid("phoneNumber", "This phone number is invalid.")
        factor.profile = {"phoneNumber": phone}
    elif factor.kind == EMAIL:
        factor.profile = {"email": optional_text(profile, "email") or user.profile["email"]}
    elif factor.kind == QUESTION:
        question, answer = text(profile, "question"), text(profile, "answer")
        if question not in QUESTIONS:
            raise invalid("question", "The question is not one of those that may be used.")
        if len(answer) < 4:
            raise invalid("answer", "The security question answer must be at least 4 characters in length")
        factor.profile, factor.answer = {"question": question, "questionText": QUESTIONS[question]}, answer


def require_active(user: OktaUser) -> None:
    """Require an active user: no other user can use factors."""
    if user.status == "LOCKED_OUT":
        raise refused("E0000069")
    if user.status != "ACTIVE":
        raise refused("E0000038")


def activate(user: OktaUser, factor: EnrolledFactor, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Activate a factor with a code; for a push, return the answer while it waits for its owner."""
    if factor.status == "ACTIVE":
        raise refused("E0000107")
    require_active(user)
    if factor.kind == PUSH:
        return {"expiresAt": moment(factor.created + 86400), "factorResult": "WAITING"}
    _check(user, factor, text(fields, "passCode"))
    factor.status, factor.updated = "ACTIVE", time.time()
    return None


def send_code(factor: EnrolledFactor) -> None:
    """Send a text message or an e-mail, but not too soon after the last one."""
    usual, code = _PAUSES[factor.kind]
    pause = float(os.environ.get(BETWEEN_MESSAGES, usual))
    if time.time() - factor.sent < pause:
        raise refused(code, f"{math.ceil(pause)}")
    factor.sent, factor.code = time.time(), f"{secrets.randbelow(10**6):06}"


def challenge(user: OktaUser, factor: EnrolledFactor, base: str) -> dict[str, Any]:
    """Send a code; ``base`` is the URL of the factor."""
    require_active(user)
    send_code(factor)
    links = {"verify": link(f"{base}/verify", "POST"), "factor": link(base, "GET", "DELETE")}
    profile = {"profile": dict(factor.profile)} if factor.kind == SMS else {}
    return {"factorResult": "CHALLENGE", **profile, "_links": links}


def push(user: OktaUser, factor: EnrolledFactor, fields: Mapping[str, Any]) -> Transaction:
    """Send a push."""
    require_active(user)
    transaction = Transaction(factor.owner or "is away")
    if is_true(fields, "useNumberMatchingChallenge"):
        transaction.correct_answer = secrets.randbelow(90) + 10
    factor.transactions[transaction.id] = transaction
    return transaction


def verify(user: OktaUser, factor: EnrolledFactor, fields: Mapping[str, Any]) -> dict[str, str]:
    """Check a code or an answer."""
    if factor.kind == QUESTION:
        answer = text(fields, "answer")
        require_active(user)
        _count(user, answer == factor.answer, "Your answer doesn't match our records. Please try again.")
    else:
        passcode = text(fields, "passCode")
        require_active(user)
        _check(user, factor, passcode)
    return {"factorResult": "SUCCESS"}


def _check(user: OktaUser, factor: EnrolledFactor, passcode: str) -> None:
    if factor.totp is None:
        _count(user, factor.code is not None and passcode == factor.code, _WRONG)
        factor.code = None
        return
    step = factor.totp.step_of(passcode)
    if step is None and factor.totp.step_of(passcode, _OLDEST_STEPS) is not None:
        raise refused("E0000083")
    if step is not None and step <= factor.last_step:
        raise refused("E0000082")
    _count(user, step is not None, _WRONG)
    factor.last_step = step or 0


def _count(user: OktaUser, is_right: bool, cause: str) -> None:
    """Count wrong codes; too many lock the user."""
    if is_right:
        user.failures = 0
        return
    user.failures += 1
    if user.failures >= _MOST_FAILURES:
        user.move("LOCKED_OUT")
    raise refused("E0000068", "", cause)
