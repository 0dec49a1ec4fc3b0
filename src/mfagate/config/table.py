"""The base of all tables of ``integrations.toml``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError


class Table(BaseModel):
    """A table of the file. Unknown keys are errors; values never appear in messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


def _no_number(value: Any) -> Any:
    """Refuse a number, which pydantic would read as a time stamp."""
    if isinstance(value, int | float):
        raise PydanticCustomError("date_type", "should be a date")
    return value


Day = Annotated[date, BeforeValidator(_no_number)]
