"""Two pytest plugins: the checks of the gate as test items, and the fixtures of contract tests."""
