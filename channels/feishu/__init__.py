"""Feishu: what is particular to this vendor."""
