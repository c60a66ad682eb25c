"""The product's contract for levels on FastAPI and psycopg, with SQL by hand: as fast as we can.

It knows the tables and the contract, and nothing of the product's code. It leaves out: DELETE and
all that is not about levels, signed-in sessions, rate limits, proxies, the list's filters other
than products, locations and status, ``ordering``, imports, exports, metrics, a line in the log for
each request, and draining the rest of a refused body.
"""
