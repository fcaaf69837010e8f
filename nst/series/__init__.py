"""`nst batch`: many pictures, each with its own content, styles and recipe, painted wherever an executor paints.

`rows` says which, from patterns; `manifest` from a file. `names` gives each a place in the folder, `series` has them
painted, `report` and `page` tell what became of each.
"""
