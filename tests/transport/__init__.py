"""One exchange over one connection, against servers that misbehave in every known way."""
