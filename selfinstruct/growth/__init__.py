"""One run: plan a batch, ask a backend for it, journal the reply, judge its rows, and plan again.

Does not handle: reading seeds and recipes (`selfinstruct.preparation`), talking to an endpoint
(`selfinstruct.backends`), or the layout of a run directory (`selfinstruct.run_directory`).
"""
