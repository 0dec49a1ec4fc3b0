"""Recognise telephone numbers that cannot exist by numbering plans (libphonenumber, https://github.com/google/libphonenumber).

The length of E.164 numbers is defined in https://www.itu.int/rec/T-REC-E.164; in North America neither an area code nor
an exchange begins with 0 or 1 (https://www.nanpa.com/numbering/numbering-resources).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doubt:
    """The reason why a number is doubtful; ``certain`` if nobody can have it."""

    reason: str
    certain: bool


def doubt_about(number: str) -> Doubt | None:
    """Return why a number in E.164 form cannot exist, or is in no assigned range; None for any other number."""
    digits = re.sub(r"[ ().-]", "", number.strip())
    if not re.fullmatch(r"\+[0-9]+", digits):
        hint = "it begins with 00 instead of +" if digits.startswith("00") else "it is not + and digits"
        return Doubt(f"{hint} (E.164 form, such as +491701234567)", certain=True)
    import phonenumbers
    from phonenumbers import ValidationResult

    try:
        parsed = phonenumbers.parse(digits)
    except phonenumbers.NumberParseException as error:
        unknown = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return Doubt("no country has its country code" if unknown else "it has too few digits", certain=True)
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != ValidationResult.IS_POSSIBLE:
        return Doubt(_length(possible, parsed.country_code), certain=True)
    if parsed.country_code == 1 and not re.fullmatch(r"[2-9]\d\d[2-9]\d{6}", str(parsed.national_number)):
        return Doubt("its area code or exchange begins with 0 or 1, as none in North America does", certain=True)
    if not phonenumbers.is_valid_number(parsed):
        return Doubt(f"it is in no range assigned under +{parsed.country_code}", certain=False)
    return None


def _length(possible: int, country: int | None) -> str:
    from phonenumbers import ValidationResult

    long = possible == ValidationResult.TOO_LONG
    slip = "too many digits" if long else "too few digits" if possible != ValidationResult.INVALID_LENGTH else None
    return f"it has {slip or 'an impossible number of digits'} for a number under +{country}"
