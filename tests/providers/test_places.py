"""Where a setting is found reads well in the sentences that it completes."""

from __future__ import annotations

import re

import pytest

from mfagate.config.settings import SettingField
from mfagate.providers import registry

FIELDS = [
    pytest.param(field, id=f"{name}.{field.name}")
    for name in registry.names()
    for field in registry.get(name).settings.fields()
]

CLAUSE = re.compile(r"(in|on|at|from|with|by|shown|look|see|run|use|set|open)\b", re.IGNORECASE)
"""The beginnings of a text that is no place, and does not go with the colon before it."""


@pytest.mark.parametrize("field", FIELDS)
def test_it_completes_where_to_find_it(field: SettingField) -> None:
    where = field.setting.where
    assert CLAUSE.match(where) is None, f"Where to find it: {where}."
    assert where == where.strip()
    assert not where.endswith((".", ":", ";"))
    assert " with: " not in where
    assert field.setting.description.endswith(".")
