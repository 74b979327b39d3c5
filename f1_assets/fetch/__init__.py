"""How data is got: transport, sources, account, archive, and the loaded session.

Importing this package does not import FastF1; its modules `loader`, `calendar` and `transport` do.
"""
