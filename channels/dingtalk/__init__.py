"""钉钉 (DingTalk)."""
