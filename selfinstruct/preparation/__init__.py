"""From what the user names (a seed file, a recipe, rows in memory) to a prepared run.

Reads and checks the seeds, infers what the recipe leaves out, and sets categories, thresholds and quotas.
Does not handle: run directories, or calling a model.
"""
