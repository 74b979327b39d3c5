"""All that stands between f1_assets and F1's services: sources, archive, transport, the loaded session, errors.

Importing this package does not import FastF1; its modules `loader`, `calendar` and `transport` do.
"""
