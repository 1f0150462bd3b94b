"""A pytest plugin: what the machine lacked, for the closing list of `make test`.

Where everything is asked for (LABELHUB_TEST_STRICT=1), a skip for such a reason is a failure.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests import needs

REPORT = "LABELHUB_TEST_REPORT"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):  # noqa: ARG001
    report = yield
    return _as_failure(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):  # noqa: ARG001
    report = yield
    return _as_failure(report)


def _as_failure(report):
    if report.skipped and needs.is_strict() and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        if not reason.startswith(needs.NOT_HERE):
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid} was skipped: {reason}"
    return report


def _reason(report) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = os.environ.get(REPORT)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if path is None or reporter is None or hasattr(session.config, "workerinput"):
        return
    stats = reporter.stats
    skipped = [_reason(report) for report in stats.get("skipped", [])]
    lacks = Counter(reason for reason in skipped if not reason.startswith(needs.NOT_HERE))
    summary = {
        "passed": len(stats.get("passed", [])) + len(stats.get("xfailed", [])),
        "failed": len(stats.get("failed", [])) + len(stats.get("error", [])),
        "skipped": len(skipped),
        "lacks": lacks,
    }
    Path(path).write_text(json.dumps(summary))
