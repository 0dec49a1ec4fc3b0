"""One module a report format. Each turns a Report into text and changes nothing in it."""
