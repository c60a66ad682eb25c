"""CSV, XLSX and NDJSON, in and out: one table of columns, a reader and a writer a format.

Knows no request. ``importing`` turns files into rows for the writers of levels, products and
locations, ``exporting`` turns stored records into files.
"""
