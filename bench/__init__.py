"""Measures the hub beside Debian's Alertmanager: ``python -m bench``. docs/bench.md says what is measured and how."""
