"""The values and small tools that every other package uses."""
