"""The hub as people meet it: process, store, intake, chat, courier, pages and commands."""
