"""The HTML page: its content, that foreign text has no effect, and how Chromium shows it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Phase
from mfagate.core.foreign import harmless, harmless_tree
from mfagate.core.result import Measured, Report, Verdict
from mfagate.report import html
from mfagate.report.formats import Output
from mfagate.report.html import HistoryEntry, HistoryView
from mfagate.report.html.charts import Chart

from ..support.programs import require_module
from .browser import chromium, emulate
from .conftest import AT, HOSTILE, Offline, hostile_check, report_of

CSS = (files(html) / "templates/page.css").read_text()

HOSTILE_TAGS = {"script", "img", "iframe", "object", "form", "link", "base"}


def earlier_runs(number: int) -> list[HistoryEntry]:
    """Every tenth run is inconclusive, every fiftieth fails, and later runs are slower."""
    runs = []
    for day in range(number):
        verdict = Verdict.FAIL if day % 50 == 49 else Verdict.INCONCLUSIVE if day % 10 == 9 else Verdict.PASS
        cause = {Verdict.FAIL: CauseId.CREDENTIAL_REJECTED, Verdict.INCONCLUSIVE: CauseId.PROVIDER_OUTAGE}.get(verdict)
        latency = {phase: 0.01 * (1 + phase.value.count("s")) * (1 + day / number) for phase in Phase}
        runs.append(HistoryEntry(AT - timedelta(days=number - day), verdict, cause, {} if day % 17 == 3 else latency))
    return runs


def parsed(text: str) -> Any:
    return lxml_html.fromstring(text)  # type: ignore[no-untyped-call]


def texts(page: Any, path: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.xpath(path)]


def test_a_command_writes_a_page(offline: Offline) -> None:
    page = parsed(offline.report_in("html")[0])
    assert texts(page, "//h1") == ["✕ FAIL: do not deploy"]
    assert texts(page, "//h3") == ["duo-us", "duo-eu"]
    assert [bool(card.get("open") is not None) for card in page.find_class("card")] == [True, False]
    assert any("the wards must log in during an outage" in text for text in texts(page, "//section[@id='waived']//td"))
    assert "duo-us" in texts(page, "//header//a")


def test_integrations_with_problems_come_first() -> None:
    good = report_of(verdict=Verdict.PASS, name="good").integrations
    warned = report_of(hostile_check("x", outcome=Outcome.WARN), verdict=Verdict.PASS, name="warned").integrations
    bad = report_of(hostile_check("x"), name="bad")
    page = parsed(html.render(bad.model_copy(update={"integrations": [*good, *warned, *bad.integrations]})))
    assert texts(page, "//h3") == ["bad", "warned", "good"]


def test_the_page_has_no_scripts_and_no_external_resources(offline: Offline) -> None:
    text, _ = offline.report_in("html")
    page = parsed(text)
    assert not {element.tag for element in page.iter()} & HOSTILE_TAGS
    assert not page.xpath("//@style | //@src | //@onload | //@onclick")
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = page.xpath("//style")
    digest = b64encode(sha256(style.text.encode()).digest()).decode()
    assert policy.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert not re.search(r"@import|url\(", style.text)


def test_hostile_text_stays_text(hostile: Report) -> None:
    page = parsed(Output("html").render(hostile))
    assert not {element.tag for element in page.iter()} & HOSTILE_TAGS
    assert all("evil" not in address for address in page.xpath("//@href"))
    assert harmless(HOSTILE).strip() in page.xpath("//dd")[1].text_content() + page.text_content()


def test_a_runbook_is_a_link_only_if_it_is_an_address(hostile: Report) -> None:
    (one,) = hostile.integrations
    wicked = one.model_copy(update={"runbook": "javascript:alert(1)"})
    page = parsed(html.render(harmless_tree(hostile.model_copy(update={"integrations": [wicked]}))))
    assert {address[0] for address in page.xpath("//a/@href")} == {"#"}
    assert "https://runbooks.example.com/mfa/duo" in parsed(html.render(hostile)).xpath("//a/@href")


def test_headings_and_tables_are_in_order(hostile: Report) -> None:
    page = parsed(html.render(harmless_tree(hostile), HistoryView({"duo-eu": earlier_runs(400)})))
    levels = [int(element.tag[1]) for element in page.xpath("//h1|//h2|//h3|//h4")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in page.xpath("//table"):
        assert table.xpath("caption"), "every table has a caption"
        assert all(cell.get("scope") for cell in table.xpath(".//th"))
    ids = page.xpath("//@id")
    assert len(set(ids)) == len(ids)
    assert {address[1:] for address in page.xpath("//a/@href") if address.startswith("#")} <= set(ids)
    for svg in page.xpath("//*[local-name()='svg'][@role='img']"):
        assert set(svg.get("aria-labelledby").split()) <= set(ids)


def test_the_calendar_lists_expiry_dates_soonest_first(hostile: Report) -> None:
    (integration,) = hostile.integrations
    expired = hostile_check("x", id="credential.expiry", subject="API token").until(AT - timedelta(days=3, hours=1))
    report = hostile.model_copy(
        update={"integrations": [integration.model_copy(update={"checks": [*integration.checks, expired]})]}
    )
    page = parsed(html.render(harmless_tree(report)))
    rows = texts(page, "//section[@id='calendar']//tbody/tr")
    assert rows[0].endswith("credential (API token) ✕ expired 4 days ago")
    assert rows[0].startswith("2026-11-21")
    assert "! in 9 days" in rows[1]


def test_the_calendar_names_the_certificate_of_the_server() -> None:
    valid = hostile_check("t", id="network.tls", subject=None, outcome=Outcome.PASS, cause=None)
    page = parsed(html.render(report_of(valid, verdict=Verdict.PASS)))
    assert "certificate of the server" in texts(page, "//section[@id='calendar']//td")[0]


def test_the_matrix_shows_what_passed_where_and_when() -> None:
    checks = [
        hostile_check("x", id="contract.interaction", subject=str(number), outcome=outcome)
        for number, outcome in enumerate([Outcome.PASS, Outcome.PASS, Outcome.FAIL])
    ]
    page = parsed(html.render(report_of(*checks), HistoryView({"duo-eu": earlier_runs(9)})))
    (row,) = page.xpath("//section[@id='contracts']//tbody/tr")
    cells = texts(row, "th|td")
    assert cells == ["duo", "✕ duo-eu 2 of 3 passed, 1 failed; last pass 2026-11-23", "not verified", "not verified"]


def test_an_offline_page_does_not_mention_the_provider(offline: Offline) -> None:
    page = parsed(offline.report_in("html")[0])
    assert texts(page, "//section[@id='contracts']//thead//th") == ["Contract", "Recordings, offline"]
    (row,) = page.xpath("//section[@id='contracts']//tbody/tr")
    assert texts(row, "td") == ["✓ duo-us 20 of 20 passed✓ duo-eu 20 of 20 passed"]
    assert "the provider" not in " ".join(texts(page, "//section[@id='integrations']//p[@class='quiet']"))


def test_a_page_adds_its_run_to_the_history() -> None:
    checks = [hostile_check("t", id="network.tls", subject=None, outcome=Outcome.PASS, cause=None)]
    early, late = report_of(*checks, verdict=Verdict.PASS), report_of(hostile_check("x"))
    timed = [Measured(request="GET /ping", phases={"tls": 0.1})]
    early = early.model_copy(update={"integrations": [early.integrations[0].model_copy(update={"measured": timed})]})
    late = late.model_copy(update={"run": late.run.model_copy(update={"started": AT + timedelta(days=1)})})
    view = HistoryView({"duo-eu": []}).with_run(early).with_run(late)
    assert [run.verdict for run in view.runs["duo-eu"]] == [Verdict.PASS, Verdict.FAIL]
    assert view.runs["duo-eu"][0].latency == {Phase.TLS: 0.1}


def test_a_chart_and_its_table_have_the_same_numbers() -> None:
    few = Chart.of(earlier_runs(20))
    assert (few.by_week, len(few.rows), few.rows[9].verdict) == (False, 20, "inconclusive")
    assert drawn(few) == {verdict: sum(row.verdict == verdict for row in few.rows) for verdict in drawn(few)}
    assert few.slots == few.runs == 20
    many = Chart.of(earlier_runs(365))
    assert (many.by_week, sum(row.runs for row in many.rows)) == (True, 365)
    assert many.summary.startswith("329 pass, 29 inconclusive, 7 fail")
    assert drawn(many) == {"pass": 329, "inconclusive": 29, "fail": 7}
    for line in many.lines:
        starts, steps = line.path.count("M"), line.path.count("l")
        assert starts + steps == sum(bool(run.latency) for run in earlier_runs(365)), "each run with a measurement"
        assert starts > 1, "gaps where there is no measurement"


def drawn(chart: Chart) -> dict[str, int]:
    """How many bars a chart has of each verdict."""
    return {bars.verdict: bars.path.count("M") for bars in chart.bars}


def test_days_without_a_run_are_a_gap() -> None:
    complete = earlier_runs(30)
    chart = Chart.of(complete[:10] + complete[14:])
    assert (chart.runs, chart.slots) == (26, 30)
    assert chart.gaps == f"no run between {complete[9].when:%Y-%m-%d} and {complete[14].when:%Y-%m-%d}"
    assert Chart.of(complete).gaps == ""
    # A year without a run does not squeeze the other runs.
    long_ago = replace(complete[0], when=complete[0].when - timedelta(days=365))
    assert Chart.of([long_ago, *complete]).slots == 61


@given(st.lists(st.timedeltas(timedelta(seconds=1), timedelta(days=400)), max_size=60))
def test_each_run_has_its_own_bar_however_irregular_runs_are(between: list[timedelta]) -> None:
    moments = [AT, *(AT + sum(between[: number + 1], timedelta()) for number in range(len(between)))]
    chart = Chart.of([HistoryEntry(when, Verdict.PASS, latency={Phase.TLS: 0.1}) for when in moments])
    assert chart.runs == len(moments) == drawn(chart)["pass"]
    assert chart.runs <= chart.slots <= 31 * len(moments)
    (line,) = chart.lines
    assert line.path.count("M") + line.path.count("l") == chart.runs


def test_latencies_have_a_scale_with_units() -> None:
    def marks(*seconds: float) -> tuple[list[str], str | None]:
        chart = Chart.of(
            [
                HistoryEntry(AT + timedelta(days=day), Verdict.PASS, None, {Phase.TLS: one})
                for day, one in enumerate(seconds)
            ]
        )
        return list(chart.marks), chart.lines[0].last

    assert marks(0.1, 0.0432) == (["100 ms", "50 ms", "0 ms"], "43.2 ms")
    assert marks(0.3, 3.2) == (["5 s", "2.5 s", "0 s"], "3.2 s")
    assert marks(0.0) == (["0 ms", "0 ms", "0 ms"], "0 ms")


def test_the_page_counts_the_run_that_it_shows() -> None:
    report = report_of(hostile_check("x"))
    page = parsed(html.render(report, HistoryView({"duo-eu": earlier_runs(9)})))
    (text,) = texts(page, "//figure/figcaption")
    assert text.startswith(
        "duo-eu 9 pass, 1 fail; last run that did not pass: fail on 2026-11-24 (credential.rejected)"
    )
    page = parsed(html.render(report, HistoryView({"duo-eu": []}).with_run(report)))
    assert texts(page, "//figure/figcaption")[0].startswith("duo-eu 1 fail;"), "counted once"
    (drill,) = report.integrations
    drill = drill.model_copy(update={"faults": ["clock-skew"]})
    page = parsed(
        html.render(report.model_copy(update={"integrations": [drill]}), HistoryView({"duo-eu": earlier_runs(9)}))
    )
    assert texts(page, "//figure/figcaption")[0].startswith("duo-eu 9 pass")


def test_a_contract_that_was_not_reached_is_in_the_matrix() -> None:
    reason = "not reached: credential.accepted found credential.rejected"
    skipped = hostile_check(reason, id="contract.interaction", subject=None, outcome=Outcome.SKIPPED, cause=None)
    page = parsed(html.render(report_of(hostile_check("x"), skipped)))
    (row,) = page.xpath("//section[@id='contracts']//tbody/tr")
    assert texts(row, "th|td") == ["duo", f"– duo-eu {reason}", "not verified", "not verified"]
    page = parsed(html.render(report_of(hostile_check("x"))))
    assert texts(page, "//section[@id='contracts']//td")[0] == "– duo-eu not reached"


def _luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted([_luminance(one), _luminance(other)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_contrast_is_computed_correctly() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_colour_of_text_has_the_contrast_of_wcag_aa(dark: bool) -> None:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", blocks[dark]))
    grounds = [colors.pop("page"), colors.pop("panel")]
    colors.pop("edge")  # Only decoration.
    assert len(colors) == 10
    for name, color in colors.items():
        for ground in grounds:
            assert contrast(color, ground) >= 4.5, (name, ground)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def shown(driver: Any, tmp_path: Path, hostile: Report) -> Any:
    """Open the hostile report with a year of history, completely unfolded."""
    page = html.render(harmless_tree(hostile), HistoryView({"duo-eu": earlier_runs(365)}))
    (tmp_path / "page.html").write_text(page)
    emulate(driver, width=1000)
    driver.get_log("browser")
    driver.get((tmp_path / "page.html").as_uri())
    driver.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    return driver


@pytest.mark.parametrize("width", [360, 768, 1400])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_wider_than_the_screen(shown: Any, width: int, dark: bool) -> None:
    emulate(shown, width=width, dark=dark)
    wide = shown.execute_script(
        "return [...document.querySelectorAll('body *:not(.skip)')]"
        ".filter(one => one.getBoundingClientRect().right > arguments[0] + 1)"
        ".map(one => one.tagName + '.' + one.getAttribute('class'))",
        width,
    )
    assert wide == []
    assert shown.execute_script("return document.documentElement.scrollWidth") <= width
    ground = shown.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(15, 20, 25)" if dark else "rgb(255, 255, 255)")


def test_the_policy_allows_the_style_sheet_and_nothing_is_fetched(shown: Any) -> None:
    assert shown.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in shown.get_log("performance")]
    requests = [one["params"] for one in sent if one["method"] == "Network.requestWillBeSent"]
    page = shown.current_url
    assert {one["request"]["url"] for one in requests if one["documentURL"] == page} == {page}


def test_the_page_works_with_the_keyboard_alone(shown: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    fold = "document.querySelectorAll('details').forEach(one => one.open = false)"
    shown.execute_script(fold)
    shown.switch_to.active_element.send_keys(Keys.TAB)
    skip = shown.switch_to.active_element
    assert (skip.text, skip.rect["x"] >= 0) == ("Skip to the integrations", True)
    assert "none" not in shown.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    skip.send_keys(Keys.ENTER)
    shown.switch_to.active_element.send_keys(Keys.TAB)
    summary = shown.switch_to.active_element
    assert summary.tag_name == "summary"
    summary.send_keys(Keys.ENTER)
    assert shown.execute_script("return document.activeElement.parentElement.open")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_violation(shown: Any, dark: bool) -> None:
    axe = require_module("axe_core_python")
    emulate(shown, width=1000, dark=dark)
    shown.execute_script((Path(str(axe.__file__)).parent / "axe.min.js").read_text())
    results = shown.execute_async_script("axe.run().then(arguments[0])")
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in results["violations"]] == []
    assert len(results["passes"]) > 20


def test_a_year_of_fifty_integrations_makes_a_page_that_opens_at_once() -> None:
    """The size and the number of elements determine the loading time; this page takes 0.2 s to load."""
    checks = [hostile_check("x", id=f"check-{number}", subject=None) for number in range(15)]
    (one,) = report_of(*checks).integrations
    many = [one.model_copy(update={"name": f"duo-{number}"}) for number in range(50)]
    report = report_of(*checks).model_copy(update={"integrations": many})
    text = html.render(report, HistoryView({one.name: earlier_runs(365) for one in many}))
    page = parsed(text)
    assert len(page.find_class("strip")) == 50
    assert len(text) < 4_000_000
    assert sum(1 for _ in page.iter()) < 80_000
