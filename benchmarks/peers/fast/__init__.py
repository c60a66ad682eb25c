"""The product's contract for levels on FastAPI and psycopg, with SQL by hand: as fast as we can.

It knows the tables and the contract, and nothing of the product's code. It leaves out: DELETE and
what is not about levels, signed-in sessions, rate limits, filters other than products, locations
and status, ``ordering``, imports, exports, and a line in the log for each request.
"""
