"""`nst report`: how a run went, from its `run.json`: curves, facts and notes, as a page or as one picture.

`run` reads the file and says what there is to show, `page` shows it as HTML, `plot` as pixels.
"""
