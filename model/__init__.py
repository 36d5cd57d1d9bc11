"""The default model: its recipe, its card, the trained files, and the package that trains it."""
