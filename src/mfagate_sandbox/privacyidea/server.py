"""The privacyIDEA sandbox: a real privacyIDEA 3.14 server with a fresh database.

:mod:`mfagate_sandbox.privacyidea.sandbox` starts it as a separate program; a person starts it with
``python -m mfagate_sandbox.privacyidea.server``. privacyIDEA is licensed under the AGPL-3.0: only
this program loads it, and mfagate communicates with it only over HTTP.

The set-up follows the manual
(https://privacyidea.readthedocs.io/en/latest/installation/system/inifile.html,
https://privacyidea.readthedocs.io/en/latest/installation/system/pimanage/index.html),
with all ``pi-manage`` commands in this one process, which takes about 1.7 s.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from mfagate.sandbox import Running
from mfagate.sandbox.child import attach
from mfagate.sandbox.emulator.faults import FaultInjector, injects, replaced
from mfagate_sandbox.privacyidea import fault_kinds

REALM = "lab"
USERS = ("mfagate-test", *(f"mfagate-test-{number}" for number in range(2, 5)))
ADMIN = "admin"

# Runs one pi-manage command and returns its output.
PiManage = Callable[..., str]


def main() -> None:
    """Set up the server, announce it, and serve until the parent ends this process."""
    child = attach()
    # Garbage collection among the imported modules costs half a second.
    gc.disable()
    app = _create_app(child.directory)
    server = _bind(_FaultyServer(app, child.faults) if child.faults else app)
    endpoint = f"http://127.0.0.1:{server.port}"
    values = _set_up(_pi_manage(app), child.directory, endpoint)
    gc.freeze()
    gc.enable()
    child.ready(
        Running(
            endpoint,
            values,
            frozenset({"validate_key", "admin_key", "expired_validate_key", "admin_password"}),
        )
    )
    server.serve_forever()


class _FaultyServer:
    """The server with the faults that a file lists."""

    def __init__(self, app: Any, file: Path) -> None:
        self._app = app
        self._fault_injector = FaultInjector(self, file)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Inject the faults that the file lists now, and answer the request."""
        self._fault_injector.update()
        return self._app(environ, start_response)

    @injects(fault_kinds.ROTATED)
    def change_the_secret_key(self) -> AbstractContextManager[None]:
        """Change the key as an administrator does in pi.cfg."""
        return replaced(self._app.config, "SECRET_KEY", secrets.token_hex(32))

    @injects(fault_kinds.DEMOTED)
    def withhold_rights(self) -> AbstractContextManager[None]:
        """Set a policy of the scope admin; without one, administrators have all rights."""
        return self._policy("drill-rights", "admin", "tokenlist")

    @injects(fault_kinds.HIDDEN_REASONS)
    def hide_reasons(self) -> AbstractContextManager[None]:
        """Give every refusal the same message, which reveals nothing to attackers."""
        return self._policy("drill-reasons", "authentication", "hide_specific_error_message")

    @injects(fault_kinds.HIDDEN_STATUS)
    def hide_the_status(self) -> AbstractContextManager[None]:
        """Give every refusal the same status."""
        return self._policy("drill-status", "hardening", "hide_auth_error_status")

    @injects(fault_kinds.KEYLESS)
    @contextmanager
    def accept_any_key(self) -> Iterator[None]:
        """Switch off the policy that requires a key."""
        self._call("enable_policy", "api-key", False)
        try:
            yield
        finally:
            self._call("enable_policy", "api-key", True)

    @contextmanager
    def _policy(self, name: str, scope: str, action: str) -> Iterator[None]:
        """Set a policy while the context lasts."""
        self._call("set_policy", name, scope=scope, action=action)
        try:
            yield
        finally:
            self._call("delete_policy", name)

    def _call(self, function: str, *arguments: object, **options: object) -> None:
        with self._app.app_context():
            getattr(import_module("privacyidea.lib.policy"), function)(*arguments, **options)


def _create_app(directory: Path) -> Any:
    configuration = directory / "pi.cfg"
    configuration.write_text(_configuration(directory), encoding="utf-8")
    # The variable takes precedence over the argument of create_app. The configuration of the
    # person who starts this program must never be served or changed.
    os.environ["PRIVACYIDEA_CONFIGFILE"] = str(configuration)

    engine = import_module("sqlalchemy.engine").Engine
    import_module("sqlalchemy.event").listen(engine, "connect", _trade_durability_for_speed)
    create_app = import_module("privacyidea.app").create_app
    return create_app("production", config_file=str(configuration), silent=True)


def _trade_durability_for_speed(connection: Any, _record: Any) -> None:
    # The database is deleted with the process, so nothing needs to survive a power failure.
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=WAL")


def _configuration(directory: Path) -> str:
    settings = {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{directory}/privacyidea.sqlite",
        # The default pool blocks with eight threads.
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 50, "max_overflow": 50},
        "SUPERUSER_REALM": ["super"],
        # Signs the API keys: a key of one sandbox is invalid in every other.
        "SECRET_KEY": secrets.token_hex(32),
        "PI_PEPPER": secrets.token_hex(12),
        # The default costs 300 ms per PIN; the PINs here protect nothing.
        "PI_HASH_ALGO_PARAMS": {
            "argon2__rounds": 1,
            "argon2__memory_cost": 8,
            "argon2__parallelism": 1,
        },
        "PI_ENCFILE": f"{directory}/enckey",
        "PI_AUDIT_KEY_PRIVATE": f"{directory}/private.pem",
        "PI_AUDIT_KEY_PUBLIC": f"{directory}/public.pem",
        "PI_AUDIT_NO_PRIVATE_KEY_CHECK": True,
        "PI_RESPONSE_NO_PRIVATE_KEY_CHECK": True,
        # By default, each request opens a database connection for the audit log, and writes metrics that nobody reads.
        "PI_ENGINE_REGISTRY_CLASS": "shared",
        "PI_NO_INTERNAL_METRICS": True,
        "PI_UUID_FILE": f"{directory}/uuid.txt",
        "PI_NODE": "mfagate-sandbox",
        "PI_LOGFILE": f"{directory}/privacyidea.log",
        "PI_LOGLEVEL": logging.WARNING,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in settings.items())


def _bind(app: Any) -> Any:
    from werkzeug.serving import make_server

    from mfagate.sandbox.emulator.listen import KeepAliveHandler

    # Werkzeug logs every request to stderr.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return make_server("127.0.0.1", 0, app, threaded=True, request_handler=KeepAliveHandler)


def _pi_manage(app: Any) -> PiManage:
    cli = import_module("privacyidea.cli.pimanage.main").cli
    runner = app.test_cli_runner()

    def pi_manage(*arguments: str) -> str:
        result = runner.invoke(cli, arguments, catch_exceptions=False)
        if result.exit_code != 0:
            raise SystemExit(f"pi-manage {arguments[0]} {arguments[1]}: {result.output}")
        return str(result.stdout)

    return pi_manage


def _set_up(pi_manage: PiManage, directory: Path, endpoint: str) -> dict[str, str]:
    """Create keys, tables, users, policies and API keys, and return the values of the sandbox."""
    password = secrets.token_urlsafe(12)
    pi_manage("setup", "create_enckey")
    pi_manage("setup", "create_audit_keys")
    # Without a version stamp: this database is never migrated.
    pi_manage("setup", "create_tables", "--no-stamp")
    pi_manage("admin", "add", ADMIN, "-p", password)
    _create_users(pi_manage, directory)
    for name, (scope, action) in _policies(endpoint).items():
        pi_manage("config", "policy", "create", name, scope, action)
    return {
        "url": endpoint,
        "realm": REALM,
        "user": USERS[0],
        "more_users": ",".join(USERS[1:]),
        "validate_key": _api_key(pi_manage, "validate", days=365),
        "expired_validate_key": _api_key(pi_manage, "validate", days=-1),
        "admin_key": _api_key(pi_manage, "admin", days=365),
        "admin_user": ADMIN,
        "admin_password": password,
        # Verifies the "signature" of every answer.
        "public_key": (directory / "public.pem").read_text("ascii"),
    }


def _create_users(pi_manage: PiManage, directory: Path) -> None:
    users = directory / "passwd"
    lines = (
        f"{user}:x:{uid}:{uid}:Test User,,,,{user}@example.org:/:/bin/false\n" for uid, user in enumerate(USERS, 1001)
    )
    users.write_text("".join(lines), "utf-8")
    resolver = directory / "resolver.conf"
    resolver.write_text(repr({"fileName": str(users)}), "utf-8")
    pi_manage("config", "resolver", "create", "users", "passwdresolver", str(resolver))
    pi_manage("config", "realm", "create", REALM, "users")
    pi_manage("config", "realm", "set_default", REALM)


def _policies(endpoint: str) -> dict[str, tuple[str, str]]:
    """Scope and actions by policy name.

    https://privacyidea.readthedocs.io/en/latest/policies/authorization.html,
    https://privacyidea.readthedocs.io/en/latest/policies/authentication.html and
    https://privacyidea.readthedocs.io/en/latest/policies/enrollment.html.
    """
    return {
        # Without it, /validate/check ignores the key, and a check of the key proves nothing.
        "api-key": ("authorization", "api_key_required"),
        "challenge": ("authentication", "challenge_response=hotp totp push"),
        "push": (
            "enrollment",
            f"push_firebase_configuration=poll only, push_registration_url={endpoint}/ttype/push",
        ),
    }


def _api_key(pi_manage: PiManage, role: str, days: int) -> str:
    printed = pi_manage("api", "createtoken", "-r", role, "-u", f"mfagate-{role}", "-d", str(days))
    return printed.split("Auth-Token:")[1].strip()


if __name__ == "__main__":
    main()
