"""What the HTTP servers share: who may ask them, how they listen, how long a connection lasts. No server is here.

It knows no event, no mart and no page, and imports no other package of the project.
"""
