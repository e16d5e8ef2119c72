"""The local page on which cases are edited, run and watched."""
