"""短信 (SMS): what all gateways have in common is in :mod:`channels.sms.text`."""
