"""Render plans, progress, results and findings as text, HTML, Markdown or JSON.

Does not handle: measuring, which is for ``analysis``; writing files; printing, which is for the command line and
notebooks. Other packages import the modules, since most of them need rich or jinja2.
"""
