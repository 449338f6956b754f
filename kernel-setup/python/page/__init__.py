"""Turns notebooks into pages: typeset, self-contained, readable without script or network.

    command ── publish ── source      reads a notebook, refuses what can't become a page
                  │    ── compose     its cells in turn, then headings and links
                  │          ├─ prose       Markdown: maths, clean (strangers' HTML), typography
                  │          ├─ code        colours
                  │          ├─ widgets     their last state, as text and outputs
                  │          ├─ output      terminal text, rich displays, picture, drawing (SVG), playground
                  │          └─ outline     headings, anchors, the table of contents
                  └─ template/  by Jinja, which escapes all but trees; the style sheet and fonts/

All that a cell becomes is a tree (tree) from the moment it is read until the page is written: no text
is searched for tags, and none is put between tags. What somebody else wrote is allowed by list: HTML in
clean, CSS in css, SVG in drawing, `data:` addresses by what they hold in picture.

What is wrong with a notebook is collected as sentences (fault), so that one run tells all of it.
"""
