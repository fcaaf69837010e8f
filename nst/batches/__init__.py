"""Run `nst batch`: stylize many pictures, each with its own content, styles and recipe, through an executor.

`rows` lists the pictures of file patterns, `manifest` those of a CSV or TOML file, `names` gives each output its name,
`batch` runs them, `report` writes the outcome of each. (The package is not named `batch`: `nst.batch` is the function.)
"""
