"""Turns notebooks into pages: typeset, self-contained, readable without script or network.

    command ── publish ── source      reads a notebook, refuses what can't become a page
                  │    ── compose     its cells in turn, then headings and links
                  │          ├─ prose       Markdown: maths, clean (strangers' HTML), typography
                  │          ├─ code        colours
                  │          ├─ output      terminal text, rich displays, picture
                  │          └─ outline     headings, anchors, the table of contents
                  └─ template/  by nbconvert, with the style sheet and fonts/

What is wrong with a notebook is collected as sentences (fault), so that one run tells all of it.
"""
