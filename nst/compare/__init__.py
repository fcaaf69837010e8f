"""`nst compare` and `nst explore`: grids of runs, side by side.

`grid` reads what varies, `cells` plans one run for each combination, `scheduler` sends them to workers (`cell_run`),
`parity` compares the numbers of two backends, `metrics` scores finished pictures, `comparison` and `exploration` are
the two commands from beginning to end. The parent process imports no framework.
"""
