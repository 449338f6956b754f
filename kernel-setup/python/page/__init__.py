"""Turns notebooks into pages: typeset, self-contained, readable without script or network."""
