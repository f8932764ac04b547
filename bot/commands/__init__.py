"""What the commands of ``fenghuo`` do, one module each; :mod:`bot.cli` reads their arguments."""
