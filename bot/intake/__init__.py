"""The door for events: bytes of an upstream system become events, or a refusal that says what to mend."""
