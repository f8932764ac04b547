"""The duty page: log-ins, what each unit sees, what buttons do, and the page in a real Chromium."""
