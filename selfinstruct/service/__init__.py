"""The service: an HTTP interface to runs, and the page that uses it; ``selfinstruct serve`` starts it.

    app         the route table; every request      serving     the address, the token, the end
    routes      Route and Call: what a handler gets models      bodies of requests and answers
    security    token, Host, Origin, headers        problems    errors as problem+json (RFC 9457)
    settings    options, the operator's file        service     the parts that handlers share
    runs        list, create, cancel, delete runs   jobs, queue the runs that grow here
    sources     what a request grows rows from      store       what the service remembers
    processes   child processes, and child, theirs  planning, previewing, growing: their tasks
    catalogue, state: runs on disk                  views       a run from all of these
    events      live events of a run                uploads     files under ids
    static      the page, whose files are in page/  about, recipes, previews, logs

Handlers are plain functions. Their annotations name the models that requests are validated with and responses are
written from, and the OpenAPI document is generated from the same models.

Does not handle: growing rows, which a child process does through ``api``; TLS, which is a proxy's task.
"""
