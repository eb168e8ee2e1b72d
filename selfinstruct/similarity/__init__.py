"""Near and exact duplicates: the exact ROUGE-L index, its parts, and the reference that it is tested against.

Does not handle: which fields of a run's rows are compared (its recipe says), or what becomes of a duplicate.
"""
