"""Loan movements in the words of bookkeeping."""
