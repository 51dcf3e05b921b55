"""Copies the records of documents from one case database to another, and writes the manifest of their files."""
