"""How frames reach the terminal cheaply."""
