"""Shared by the HTTP servers: allowed hosts, listening sockets, connection timeouts. Contains no server.

It knows nothing about events, marts and pages, and imports no other package of the project.
"""
