"""The house's own drawings: 24 units square, strokes of the text's colour."""

from __future__ import annotations

ICONS = {
    "alert": '<path d="M12 4 2.8 19.5h18.4z"/><path d="M12 10v4.2M12 17v.1"/>',
    "arrow": '<path d="M4 12h15M13.5 6.5 19 12l-5.5 5.5"/>',
    "back": '<path d="M20 12H5M10.5 6.5 5 12l5.5 5.5"/>',
    "bank": '<path d="M3.5 9.5 12 4l8.5 5.5zM5 20h14M6.5 12.5V17M12 12.5V17M17.5 12.5V17"/>',
    "bell": '<path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4"/>',
    "book": '<path d="M5 4.5h11.5a2 2 0 0 1 2 2v13H7a2 2 0 0 1-2-2zM5 17.5a2 2 0 0 1 2-2h11.5M9 8.5h6"/>',
    "calendar": '<path d="M4.5 6.5h15v13h-15zM4.5 10.5h15M8.5 4v4M15.5 4v4"/>',
    "card": '<path d="M3.5 6.5h17v11h-17zM3.5 10.5h17M7 14.5h3.5"/>',
    "chart": '<path d="M4 4v16h16M8 15.5l3.5-4.5 3 2.5L19.5 7"/>',
    "check": '<path d="m5 12.5 4.5 4.5L19 7"/>',
    "chevron": '<path d="m9.5 6 6 6-6 6"/>',
    "clock": '<circle cx="12" cy="12" r="8"/><path d="M12 7.5V12l3 2.5"/>',
    "close": '<path d="m6 6 12 12M18 6 6 18"/>',
    "copy": '<path d="M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4"/>',
    "document": '<path d="M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5M9 12.5h6M9 16h6"/>',
    "dot": '<circle cx="12" cy="12" r="3.5" fill="currentColor"/>',
    "down": '<path d="M12 5v14M6.5 13.5 12 19l5.5-5.5"/>',
    "download": '<path d="M12 4v11M7 10.5l5 5 5-5M4.5 20h15"/>',
    "edit": '<path d="M4.5 19.5 5.5 15 15.8 4.8l3.4 3.4L9 18.5zM13.5 7l3.5 3.5"/>',
    "eye": (
        '<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx='
        '"12" cy="12" r="2.75"/>'
    ),
    "filter": '<path d="M4 6h16M7 12h10M10 18h4"/>',
    "flag": '<path d="M6 21V4M6 5h12l-2.5 4L18 13H6"/>',
    "help": '<circle cx="12" cy="12" r="8.5"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.6M12 16.4v.1"/>',
    "home": '<path d="M4 11 12 4l8 7v9h-5.5v-5.5h-5V20H4z"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5.5M12 7.6v.1"/>',
    "key": '<circle cx="8" cy="15.5" r="4"/><path d="m11 12.5 8.5-8.5M16 7.5l3 3"/>',
    "language": '<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c3 3 3 14 0 17-3-3-3-14 0-17z"/>',
    "leave": '<path d="M10 4.5H5v15h5M10 12h10M16.5 8l4 4-4 4"/>',
    "lock": '<path d="M5.5 10.5h13v9.5h-13zM8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5M12 14v2.5"/>',
    "mail": '<path d="M3.5 6h17v12.5h-17zM3.5 7l8.5 6.5L20.5 7"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "minus": '<path d="M5.5 12h13"/>',
    "money": '<path d="M3 7h18v10H3z"/><circle cx="12" cy="12" r="2.5"/><path d="M6 10v4M18 10v4"/>',
    "moon": '<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>',
    "pause": '<path d="M9 6v12M15 6v12"/>',
    "people": (
        '<circle cx="9" cy="8.5" r="3.5"/><path d="M3 19.5c.4-3.4 2.8-5.5 6-5.5s5.6 2.1 6 5.5'
        'M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.5c2 .7 3.2 2.5 3.5 5"/>'
    ),
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.5-4 3.5-6.5 7.5-6.5s7 2.5 7.5 6.5"/>',
    "phone": '<path d="M7 2.5h10v19H7zM11 18.5h2"/>',
    "plus": '<path d="M12 5.5v13M5.5 12h13"/>',
    "print": '<path d="M7 8.5v-5h10v5M7 17H4V8.5h16V17h-3M7 14h10v6.5H7z"/>',
    "refresh": '<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15"/>',
    "rule": '<path d="M12 3.5v5M12 8.5 6 14M12 8.5l6 5.5M3.5 14h5v5h-5zM15.5 14h5v5h-5z"/>',
    "scales": '<path d="M12 4v16M8 20h8M5 7h14M5 7l-2.5 6.5a2.8 2.8 0 0 0 5 0zM19 7l-2.5 6.5a2.8 2.8 0 0 0 5 0z"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5 5"/>',
    "send": '<path d="M20.5 3.5 3.5 10.5l6.5 3.5 3.5 6.5zM10 14l4.5-4.5"/>',
    "settings": '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>',
    "shield": '<path d="M12 3 4.5 6v5.5c0 4.5 3 7.8 7.5 9.5 4.5-1.7 7.5-5 7.5-9.5V6zM8.5 12l2.5 2.5 4.5-4.5"/>',
    "sun": (
        '<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4'
        'M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"/>'
    ),
    "tray": '<path d="M3.5 13 6 5h12l2.5 8v6.5h-17zM3.5 13H8.5l1.5 2.5h4l1.5-2.5h5"/>',
    "up": '<path d="M12 19V5M6.5 10.5 12 5l5.5 5.5"/>',
    "wrench": '<path d="M14.5 6.5a4 4 0 0 1 5-1L17 8l1 2 2 .5a4 4 0 0 1-5.5 3L8 20l-3-3 6.5-6.5a4 4 0 0 1 3-4z"/>',
}  # fmt: skip
