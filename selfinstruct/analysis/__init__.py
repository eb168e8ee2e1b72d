"""Read-only views of rows and runs: metrics, findings, provenance, the dry run, rejudging.

Computes results as plain data. How they look is for `selfinstruct.render`; nothing here changes a run.
"""
