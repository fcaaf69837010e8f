"""Pages and pictures that show runs: generic HTML, loss curves, contact sheets, and `nst report`.

`run` reads a `run.json`, `run_page` shows it as HTML, `run_plot` as a PNG.
"""
