"""The compiled core of opendsql: hot paths of every role. Private API; it knows no SQL text and no opendsql.

Packages, lowest first: base (vocabulary) < clock, types, codec, shared < adjudicator, journal, crossbar, storage
< execute < wire. Roles know each other by message only.
"""
