"""What varies in a set of rows, and which values may stand in its place.

    text -> entities and words -> row template -> generators -> a new text

Does not handle: judging the new rows (`selfinstruct.checks`), or rows that only a model can write.
"""
