"""Markdown, as a parser of CommonMark with tables renders it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mfagate.core.causes import Outcome
from mfagate.core.foreign import harmless_tree
from mfagate.core.result import Report, Verdict
from mfagate.report import markdown
from mfagate.report.formats import Output
from mfagate.report.words import one_line

from .conftest import HOSTILE, Offline, hostile_check, report_of, waived_check

OURS = {
    *("h2", "h3", "p", "strong", "sub", "pre", "code", "details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


class Page(HTMLParser):
    """The tags, the attributes and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.comments: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark").enable("table").render(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_comment(self, data: str) -> None:
        self.comments.append(data.strip())

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_ours(page: Page) -> None:
    assert set(page.tags) <= OURS
    assert set(page.attributes) <= {("class", "language-text")}
    assert page.comments == ["mfagate"]


def test_a_command_writes_a_comment(offline: Offline) -> None:
    text, _ = offline.report_in("markdown")
    page = Page(text)
    assert_ours(page)
    assert text.startswith(markdown.MARKER)
    assert "FAIL: do not deploy" in page.text
    assert "Next step:" in page.text.split("more")[0]
    assert (page.tags.count("details"), page.tags.count("h2")) == (1, 1)


def test_hostile_text_stays_text(hostile: Report) -> None:
    page = Page(Output("markdown").render(hostile))
    assert_ours(page)
    assert page.text.replace("\u200b", "").count("![i](http://evil.example/i.png)") >= 4


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("`*_[]()<>&\\|~#@!:\n -+1.")))
def test_any_message_is_shown_literally(text: str) -> None:
    report = harmless_tree(report_of(hostile_check(text, location=None)))
    page = Page(markdown.render(report))
    assert_ours(page)
    shown = one_line(report.integrations[0].checks[0].message)
    assert one_line(shown) in one_line(page.text.replace("\u200b", "")) or len(shown) > 500


def test_foreign_text_mentions_nobody_and_links_to_nothing(hostile: Report) -> None:
    outside = re.sub(r"(?s)^(`{3,})text\n.*?\n\1$", "", Output("markdown").render(hostile), flags=re.MULTILINE)
    shown = Page(outside).text
    assert not re.search(r"@\w|#\d|(?<!`)https?://\S+\.\S+\)\s*<a", shown)
    assert "://" not in outside
    assert "www." not in outside


def test_the_comment_stays_below_the_limit() -> None:
    long = HOSTILE * 20
    checks = [hostile_check(long, subject=str(number)) for number in range(20)]
    waived = [waived_check(subject=str(number)) for number in range(5)]
    report = report_of(*checks, *waived)
    (one,) = report.integrations
    few = one.model_copy(update={"checks": one.checks[:1]})
    many = [few.model_copy(update={"name": f"integration-{number}" * 5}) for number in range(499)]
    text = Output("markdown").render(report.model_copy(update={"integrations": [one, *many]}))
    assert len(text) < 60_000
    page = Page(text)
    assert_ours(page)
    assert "more; --output json lists all" in page.text
    assert "and 400 more integrations" in page.text


def test_a_pass_does_not_begin_with_a_problem() -> None:
    information = hostile_check("only to know", outcome=Outcome.INFO)
    report = report_of(information, verdict=Verdict.PASS)
    text = markdown.render(report)
    assert text.index("<details>") < text.index("only to know")
