"""Web Push: notifications in browsers and installed apps, by the push service of each browser."""

from usance.adapters.webpush.client import WebPushMessenger, build

__all__ = ["WebPushMessenger", "build"]
