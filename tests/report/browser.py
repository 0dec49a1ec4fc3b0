"""Run headless Chromium, and set up pages in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..support.programs import require_module, require_program


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """Start a driver with its profile in a folder. It can reach only this machine."""
    require_module("selenium")
    browser = require_program("chromium", "google-chrome", package="chromium")
    driver_program = require_program("chromedriver", package="chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={folder}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Chromium hangs under libfaketime, and the page shows no current time.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    driver = webdriver.Chrome(options=options, service=Service(driver_program, env=environment))
    try:
        yield driver
    finally:
        driver.quit()


def emulate(driver: Any, *, width: int, dark: bool = False) -> None:
    """Emulate a screen with a width, light or dark."""
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
