"""Past runs as documents: Markdown, and a page of HTML that needs nothing but itself."""
