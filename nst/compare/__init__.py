"""`nst compare`: the same picture from several backends or recipes, side by side, and what sets them apart.

`cells` says what to run, `workers` runs each in a process of its own (`probe`), `verdict` holds their numbers against
each other, `comparison` puts it all together into one report, `page` and `contact` show it. The parent process imports
no framework.
"""
