"""`nst explore`: what the choices do, in pictures: every combination of some, or a figure of a paper, on one sheet.

`papers` reads the figures, `exploration` paints what is not there yet and shows it. Cells, workers, page and sheet are
those of `nst.compare`, which also judges; here pictures are looked at.
"""
