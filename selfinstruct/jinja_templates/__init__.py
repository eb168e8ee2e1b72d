"""Prompt templates in Jinja, as of promptsource's public pool (P3): read from files, applied to labelled rows.

    .jinja, templates.yaml -> JinjaTemplate    x    rows -> input, target -> task_type, context, instruction, response

Templates are the work of strangers. They are rendered in Jinja's sandbox, in a process with limits on memory and time.
Other packages import the modules, so that this process loads as little as possible.

Does not handle: which rows there are, and what a run makes of the tasks.
"""
