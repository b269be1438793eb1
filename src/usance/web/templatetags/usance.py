"""Tags and filters of the visual language."""

from django import template

register = template.Library()
