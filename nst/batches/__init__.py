"""`nst batch`: many pictures, each with its own content, styles and recipe, painted wherever an executor paints.

`rows` lists the pictures of file patterns, `manifest` those of a CSV or TOML file, `names` gives each output its name,
`batch` runs them, `report` writes what became of each. (The package is not named `batch`: `nst.batch` is the function.)
"""
