"""The page of the design principles, and the values behind it.

badges plots scale sentences < settings < forest articles published < sections < page
"""
