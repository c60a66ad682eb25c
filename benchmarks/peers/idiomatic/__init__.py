"""The floor: levels in Django REST framework as most people write it, over the product's tables.

ModelViewSet, ModelSerializer, PageNumberPagination, update_or_create. It keeps less of the
contract than the other peers: errors in the framework's own shape, types and unknown fields as the
framework takes them, no ETags, no cursors, no sync, no holds on what is referred to; an update
that changes nothing is left out, but not under a lock in PATCH.
"""
