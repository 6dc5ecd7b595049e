"""How things look, on whatever they are shown: figures, badges, colours, lexers."""
