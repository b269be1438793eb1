"""usance: an open platform on which anyone can run an online lender."""

__version__ = "0.1.0"
