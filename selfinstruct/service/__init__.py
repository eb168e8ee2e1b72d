"""The service: an HTTP interface to runs, and the page that uses it; ``selfinstruct serve`` starts it.

    app        wires it: the route table, middlewares      settings   options and the operator's TOML file
    routes     Route and Call: what a handler gets         models     bodies of requests and responses
    security   token, Host, Origin, headers                problems   errors as problem+json (RFC 9457)
    runs       list, read, create, cancel, delete runs     state      a run as its journal shows it

Handlers are plain functions. Their annotations name the models that requests are validated with and responses are
written from, and the OpenAPI document is generated from the same models.

Does not handle: growing rows, which a child process does through ``api``; TLS, which is a proxy's task.
"""
