"""The desktop icon: health at a glance, the fix beside it, a test send in two clicks."""

NAME = "levqor-tray"
