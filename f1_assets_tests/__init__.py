"""Tests of f1_assets: they mirror its packages, room by room."""
