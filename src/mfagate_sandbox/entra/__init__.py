"""An imitation of Entra's login host and of Microsoft Graph; ``__main__.py`` is its program."""
