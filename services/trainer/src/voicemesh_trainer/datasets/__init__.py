"""Datasets: read from files of many kinds, written to others, packed into archives.

    upload ─▶ spool ─▶ files (text, csv, json, jsonl, zip) ─▶ rows ─▶ staging ─▶ one transaction

Files are read on threads, row by row; what is taken from one never depends on how large it is.
"""
